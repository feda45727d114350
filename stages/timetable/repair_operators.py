"""The names of the repair operators, in the order of the agents' actions."""

OPERATORS = ("move", "swap", "kempe", "room", "eject")

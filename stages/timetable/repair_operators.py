"""The repair operators and their names, in the order of the agents' actions."""

MOVE, SWAP, KEMPE, CHANGE_ROOM, EJECT = range(5)
OPERATORS = ("move", "swap", "kempe", "room", "eject")

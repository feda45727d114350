"""The commands, a module each: ``add_parser`` adds its parser, ``run`` does what it asks.

A module here imports at its top what parsing takes and nothing more: the help of all commands
is to be there at once, while numba and OR-Tools take seconds. ``run`` imports the rest.
"""

"""``python -m schoolbell.runner.cli``: the command line without its script."""

from .main import program

program()

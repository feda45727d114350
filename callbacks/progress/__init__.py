"""Callbacks that show a run to a person, and who owns the terminal."""

"""Callbacks that end a run or a stage."""

"""Callbacks that tell other machines of a run, and what they connect to."""

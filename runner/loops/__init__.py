"""Loops of one's own as runs."""

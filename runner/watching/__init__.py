"""Runs in other processes, seen and steered through Redis."""

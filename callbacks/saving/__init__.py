"""Callbacks that keep solutions and whole runs in files."""

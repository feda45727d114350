"""Repairing timetables of universities."""

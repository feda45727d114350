"""Timetables for people: page, notebook, picture."""

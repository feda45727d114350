"""The constraints of timetables, each described once: its units, its words, its table."""

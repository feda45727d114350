"""What a timetable costs, constraint by constraint, in plain NumPy."""

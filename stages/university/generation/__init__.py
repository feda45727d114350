"""Universities drawn at random, each with a timetable that proves it feasible."""

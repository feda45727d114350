"""The same problem with less to choose from: what no feasible timetable has is left out."""

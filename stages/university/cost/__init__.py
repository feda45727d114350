"""What a timetable of a university costs, by the definitions: the reference of the search."""

"""The search for timetables of universities in compiled code."""

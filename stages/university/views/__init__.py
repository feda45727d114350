"""A university's timetable for people: page, notebook, picture."""

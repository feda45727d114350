"""Work of callbacks aside from the run: threads on a beat, files written aside."""

"""Timetables of universities as the genetic algorithm breeds them."""

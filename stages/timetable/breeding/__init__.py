"""What the genetic algorithm needs of timetables."""

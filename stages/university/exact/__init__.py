"""CP-SAT on some classes of a university, all others staying where they are."""

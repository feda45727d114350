"""CP-SAT on the parts of a problem that can be taken apart."""

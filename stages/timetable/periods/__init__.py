"""The periods of lectures as a problem of its own, which CP-SAT solves."""

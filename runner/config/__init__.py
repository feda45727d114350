"""How a run was started, in a file beside its results."""

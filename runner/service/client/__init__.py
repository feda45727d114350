"""A service, asked by programs."""

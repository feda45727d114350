"""Functions that report how far they are, as stages."""

"""Work aside from a stage, and how it learns of the end."""

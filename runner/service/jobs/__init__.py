"""Jobs: what is asked for, where it is kept, who works on it, and how it ended."""

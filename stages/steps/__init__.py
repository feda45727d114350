"""First and last step of a pipeline, as far as they are the same for every problem."""

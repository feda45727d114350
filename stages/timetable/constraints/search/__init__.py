"""What constraints are to the compiled search: kernels of what a move changes in each."""

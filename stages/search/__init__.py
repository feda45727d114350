"""What the kernels of every problem share: how they are compiled and kept, and small tools."""

"""Callbacks that write down what the hooks were told, and the files that they write."""

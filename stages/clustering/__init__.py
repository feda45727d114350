"""Louvain's method on a weighted graph."""

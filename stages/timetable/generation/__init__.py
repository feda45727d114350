"""Instances made at random."""

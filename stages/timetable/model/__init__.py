"""Instances, solutions and formulations, in memory and in files."""

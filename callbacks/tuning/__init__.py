"""Callbacks that change parameters of stages while they run."""

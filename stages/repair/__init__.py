"""Repair by reinforcement learning."""

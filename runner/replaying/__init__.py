"""Recorded runs, and the player that fires their hooks again."""

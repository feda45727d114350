"""Instances of whole universities and their solutions, in memory."""

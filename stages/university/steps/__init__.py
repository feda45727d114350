"""Stages of a university's pipeline that no other problem has."""

"""Kernels that repair timetables, and what an agent learns of them."""

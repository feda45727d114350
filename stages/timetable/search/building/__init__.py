"""Kernels that build timetables, lecture by lecture."""

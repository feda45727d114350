"""All that leans on interfaces of numba's that it may change with any version.

Nobody imports this room but `schoolbell.stages.search.machinery`, which sees whether it
fits the numba that is installed, and has something plain to take its place.
"""

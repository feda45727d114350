"""What compiling the kernels takes."""

from ...search.compile_progress import KernelWork, steps_of

KERNELS = (
    KernelWork("fill", 35, 53, 9),
    KernelWork("run_moves", 70, 120, 67),
    KernelWork("_cross", 4, 10, 19),
    KernelWork("cluster_costs", 1, 8, 19),
    KernelWork("play_episodes", 34, 119, 37),
    KernelWork("_construct", 4, 16, 8),
    KernelWork("_sweep", 6, 24, 18),
)
"""The kernels in the order in which `compile_kernels` calls them, measured under UD2."""
STEPS = steps_of(KERNELS)
"""All steps of the compilation."""

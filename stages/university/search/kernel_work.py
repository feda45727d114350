"""What compiling the kernels takes."""

from ...search.compile_progress import KernelWork, steps_of

KERNELS = (
    KernelWork("fill", 15, 40, 8),
    KernelWork("run_moves", 35, 110, 60),
    KernelWork("count", 4, 12, 6),
    KernelWork("class_costs", 3, 8, 4),
    KernelWork("attempt", 30, 90, 40),
)
"""The kernels in the order in which `compile_kernels` calls them."""
STEPS = steps_of(KERNELS)
"""All steps of the compilation."""

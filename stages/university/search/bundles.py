"""Bundles: the ways in which a student can take a course."""

from itertools import islice, product

from ..model.course import Course
from ..model.instance import Instance

MAX_BUNDLES = 10_000
"""Most bundles of a course that are looked at, spread over all that there are."""


def course_bundles(instance: Instance, course: Course) -> list[tuple[int, ...]]:
    """Return the bundles of a course: a class of each subpart of one configuration.

    The parents of a bundle's classes are in it too.
    """
    found: list[tuple[int, ...]] = []
    for configuration in course.configurations:
        partial: list[tuple[int, ...]] = [()]
        for subpart in configuration.subparts:
            classes = [instance.class_positions[one.id] for one in subpart.classes]
            here = {instance.class_positions[one.id] for one in subpart.classes}
            partial = _spread(
                [
                    (*bundle, k)
                    for bundle, k in islice(product(partial, classes), 50 * MAX_BUNDLES)
                    if _fits(instance, bundle, k, here)
                ]
            )
        found += partial
    return _spread(found)


def _fits(instance: Instance, bundle: tuple[int, ...], k: int, here: set[int]) -> bool:
    """Tell whether a class goes with those of other subparts, whichever is the parent."""
    parent = instance.tables.parent
    if any(parent[other] in here and parent[other] != k for other in bundle):
        return False
    wanted = parent[k]
    if wanted < 0 or wanted in bundle:
        return True
    # The parent's subpart may come later.
    subparts = instance.tables.subpart
    return all(subparts[other] != subparts[wanted] for other in bundle)


def _spread(bundles: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    step = -(-len(bundles) // MAX_BUNDLES)
    return bundles[:: max(1, step)]

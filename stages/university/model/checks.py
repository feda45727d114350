"""Checks of single values, shared by the parts of an instance."""

from collections.abc import Iterable
from typing import Any, TypeVar

from ...timetable.model.checks import identifier, shown, whole_number
from ..errors import InstanceError, InstanceItem

__all__ = ["bit_string", "identifier", "parts", "shown", "unique_ids", "whole_number"]

T = TypeVar("T")


def bit_string(value: Any, what: str) -> str:
    """Return a value if it is a text of 0 and 1.

    Raises
    ------
    InstanceError
        If it is not.
    """
    if isinstance(value, str) and value and not value.strip("01"):
        return value
    raise InstanceError(f"{what} {shown(value)}", "a text of 0 and 1")


def parts(
    section: str, values: Iterable[Any], kind: type[T], low: int = 0, high: int | None = None
) -> tuple[T, ...]:
    """Return some values as a tuple, all of one kind and neither too few nor too many.

    Raises
    ------
    InstanceError
        If one is something else, or there are too few or too many.
    """
    try:
        found = tuple(values)
    except TypeError:
        raise InstanceError(
            f"{section} {shown(values)}", f"a sequence of {kind.__name__}"
        ) from None
    for k, value in enumerate(found):
        if not isinstance(value, kind):
            item = InstanceItem(section, k)
            raise InstanceError(f"{shown(value)} among the {section}", f"a {kind.__name__}", item)
    if len(found) < low:
        raise InstanceError(f"{len(found)} {section}", f"at least {low}")
    if high is not None and len(found) > high:
        raise InstanceError(f"{len(found):,} {section}", f"at most {high:,}")
    return found


def unique_ids(section: str, values: Iterable[Any], what: str) -> dict[str, int]:
    """Return the position of each value by its id.

    Raises
    ------
    InstanceError
        If two have one id.
    """
    positions: dict[str, int] = {}
    for k, value in enumerate(values):
        if positions.setdefault(value.id, k) != k:
            found = f"a second {what} {shown(value.id)}"
            raise InstanceError(found, "ids that are unique", InstanceItem(section, k))
    return positions

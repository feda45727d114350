"""Checks of single values, shared by the parts of an instance."""

import operator
from typing import Any

from ..errors import InstanceError, InstanceItem, shown

MAX_PEOPLE = 1_000_000
"""Most students of a course and most seats of a room."""


def whole_number(
    value: Any, low: int, high: int, what: str, item: InstanceItem | None = None
) -> int:
    """Return a value as an int, or say why it cannot be one from `low` to `high`.

    Raises
    ------
    InstanceError
        If the value is no whole number or out of range.
    """
    try:
        number = operator.index(value)
    except TypeError:
        raise InstanceError(f"{what} {shown(value)}", "a whole number", item) from None
    if not low <= number <= high:
        raise InstanceError(f"{what} {shown(number)}", f"{low} to {high}", item)
    return number


def identifier(value: Any, what: str) -> str:
    """Return a value if files can hold it as an identifier.

    Raises
    ------
    InstanceError
        If the value is no text, is empty, or has blanks or unprintable characters.
    """
    if isinstance(value, str) and value and value.isprintable() and " " not in value:
        return value
    raise InstanceError(f"{what} {shown(value)}", "printable text without blanks")

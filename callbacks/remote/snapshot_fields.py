"""Snapshots and logs as JSON and as the text fields that Redis keeps, and back."""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import Any

from ..formatting import printable
from ..plain_value import encodable, plain_row, plain_text, plain_value, short_text
from ..snapshot import Snapshot
from ..vocabulary import RUNNING

# Nothing that is deeper is told.
_DEEPEST = 8
_TEXTS = {"status", "stage", "unit", "message"}


def to_fields(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as texts: numbers as Python writes them, None as the empty text."""
    return {name: _field(value) for name, value in values.items()}


def _field(value: Any) -> str:
    if isinstance(value, str):
        # A whole object as JSON, perhaps: it is not to be cut.
        return encodable(value)
    plain = plain_value(value)
    return "" if plain is None else str(plain)


def snapshot_values(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as a dict of plain numbers, texts and None."""
    return {one.name: plain(getattr(snapshot, one.name)) for one in fields(Snapshot)}


def read_snapshot_values(texts: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a `Snapshot` from the fields that `to_fields` made of them.

    What is missing or unreadable becomes None, or 0 where a snapshot has a number always.

    Parameters
    ----------
    texts
        Fields by name; others than those of a snapshot are left out.
    """
    values: dict[str, Any] = {}
    for one in fields(Snapshot):
        text = texts.get(one.name, "")
        values[one.name] = (printable(text) or None) if one.name in _TEXTS else read_number(text)
    for name in ("done", "stage_progress", "progress", "elapsed"):
        values[name] = values[name] or 0
    values["status"] = values["status"] or RUNNING
    values["message"] = values["message"] or ""
    return values


def read_number(text: str) -> float | int | None:
    """Return the finite number that a text holds; None for another text."""
    for kind in (int, float):
        # Python takes "1_000" for a number, which nobody has written as one.
        with suppress(ValueError, OverflowError):
            if "_" in text:
                return None
            number = kind(text)
            return number if math.isfinite(number) else None
    return None


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: NumPy's numbers as Python's, NaN and infinity as None."""
    value = plain_value(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain_logs(logs: Mapping[str, Any], control: Any = None) -> dict[str, Any]:
    """Return logs as JSON knows them: numbers, short texts and None, see `plain_row`."""
    row = plain_row(logs, control)
    return {plain_text(str(name)): plain(value) for name, value in row.items()}


def plain_tree(value: Any, depth: int = 0) -> Any:
    """Return mappings and sequences of values as JSON knows them, see `plain`."""
    if depth < _DEEPEST:
        if isinstance(value, Mapping):
            return {short_text(name): plain_tree(one, depth + 1) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [plain_tree(one, depth + 1) for one in value]
    return plain(value)

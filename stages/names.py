"""Names that somebody looks up: what the name may have been meant to be.

Callbacks and stages each have this module, since neither imports the other.
"""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any


def did_you_mean(name: Any, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'cost'?"`` where a known name is close, else nothing."""
    by_lower = {one.lower(): one for one in known}
    close = get_close_matches(str(name).lower(), by_lower, n=1)
    return f"; did you mean {by_lower[close[0]]!r}?" if close else ""

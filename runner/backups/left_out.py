"""What backups could not hold, named once."""

import re

from ...callbacks.safe_warning import warn_safely

_PLACE = re.compile(r"\[\d+\]")


class LeftOut:
    """Warns of what backups of a run do not hold, of each thing once; from any thread."""

    def __init__(self) -> None:
        self._named: set[str] = set()

    def add(self, names: list[str]) -> None:
        """Take note of things, as `copy_savable` names them."""
        # The same entry of every item of a list is one thing.
        new = dict.fromkeys(_PLACE.sub("[…]", name) for name in names)
        new = [name for name in new if name not in self._named]
        self._named.update(new)
        if new:
            warn_safely(
                f"a backup cannot hold {', '.join(new)}: it has all else, and a run that goes on "
                "from it does without; it holds numbers, strings, bytes and arrays, in lists, "
                "tuples, dicts and sets"
            )

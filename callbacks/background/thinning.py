"""Which batches of a stage with many of them are kept."""

from collections.abc import Mapping
from typing import Any

#: So many batches of a stage are all kept, then so many out of twice as many, and so on.
DENSE_ROWS = 512


class Thinning:
    """Keeps every batch of a stage at first, then ever fewer.

    Attributes
    ----------
    due
        The first batch that is to be kept next.
    newest
        The last that was; -1 before the first.
    """

    _saved = ("due", "stride", "dense_until", "newest")

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Begin with a stage."""
        self.due, self.newest = 0, -1
        self.stride, self.dense_until = 1, DENSE_ROWS

    def keep(self, batch: int) -> None:
        """Note that a batch is kept."""
        self.newest = batch
        if batch + self.stride >= self.dense_until:
            self.stride *= 2
            self.dense_until += DENSE_ROWS * self.stride
        self.due = batch + self.stride

    def state_dict(self) -> dict[str, int]:
        """Return what a resumed run needs to keep the same ones."""
        return {f"_{name}": getattr(self, name) for name in self._saved}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as where `state_dict` was called."""
        for name in self._saved:
            setattr(self, name, state[f"_{name}"])

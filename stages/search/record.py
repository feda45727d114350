"""Records of arrays that kernels take as one pointer.

numba passes a tuple of arrays by value, seven words an array, and counts
references to each of them on every call; with forty arrays that costs more than
the work. A `Record` is passed as the address of a table of pointers instead.
A kernel reads ``record.field`` as in Python and gets a borrowed array: it must
not return one or keep it.
"""

from dataclasses import fields
from typing import Any

import numpy as np

WORDS = 4
"""Words of a field in the table."""


class Record:
    """Base of dataclasses whose fields are C-contiguous arrays, integers, floats and None.

    Arrays have at most three dimensions. Fields must not be set anew once a
    kernel has seen the record; what the arrays hold may change. The value of
    None is a type of its own, so that kernels compile without what it stands
    for.
    """

    def _table(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Lay out the fields: address and shape of an array, or a number's bits."""
        table = self.__dict__.get("_words")
        if table is None:
            table = np.zeros(WORDS * len(field_names(type(self))), np.int64)
            for i, name in enumerate(field_names(type(self))):
                _lay_out(table[i * WORDS : (i + 1) * WORDS], name, getattr(self, name))
            object.__setattr__(self, "_words", table)
        return table

    def _address(self) -> int:
        return int(self._table().ctypes.data)

    def __getstate__(self) -> dict[str, Any]:
        # Addresses mean nothing in another process.
        return {name: value for name, value in self.__dict__.items() if name[0] != "_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)


def field_names(record: type) -> list[str]:
    """List the fields of a class of records in their order."""
    return [field.name for field in fields(record)]  # pyright: ignore[reportArgumentType]


def _lay_out(words: np.ndarray[Any, np.dtype[np.int64]], name: str, value: Any) -> None:
    if isinstance(value, np.ndarray):
        if not value.flags.c_contiguous or value.ndim > WORDS - 1:
            raise ValueError(f"{name} must be C-contiguous with at most three dimensions")
        words[0] = value.ctypes.data
        words[1 : 1 + value.ndim] = value.shape
    elif isinstance(value, float):
        words[:1].view(np.float64)[0] = value
    elif value is not None:
        words[0] = value

"""Read a file of lines that consist of columns."""

import io
import os
from collections.abc import Iterator

from ..errors import FormatError
from .checks import shown


class RowReader:
    """The lines of a text that are not blank, one after another.

    Parameters
    ----------
    text
        The text.
    path
        The file that it is from, for messages.
    """

    def __init__(self, text: str, path: str | os.PathLike[str]) -> None:
        self.path = path
        self.line = 0
        self.text = ""
        self.columns: list[str] = []
        # A line ends in \n, \r\n or \r, as on systems of any age; an identifier may hold what
        # else Unicode breaks lines at.
        self._lines = enumerate(io.StringIO(text, newline=None), start=1)

    def __iter__(self) -> Iterator[list[str]]:
        """Go through the rest of the lines; yields the columns of each."""
        for line, text in self._lines:
            if not text.isspace():
                self.line, self.text, self.columns = line, text, text.split()
                yield self.columns

    def advance(self, expected: str) -> None:
        """Go to the next line.

        Raises
        ------
        FormatError
            If there is none.
        """
        for _ in self:
            return
        raise FormatError(self.path, max(self.line, 1), "the end of the file", expected)

    def error(self, expected: str, found: str | None = None) -> FormatError:
        """Return an error about this line, by default about all of it."""
        if found is None:
            found = shown(" ".join(self.columns))
        return FormatError(self.path, self.line, found, expected)

    def number(self, text: str, what: str, low: int, high: int) -> int:
        """Return a column as a whole number from `low` to `high`.

        Raises
        ------
        FormatError
            If it is none.
        """
        digits = text.removeprefix("-")
        # Ten digits are more than any number here has; Python reads far longer ones, slowly.
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
            raise self.error("a whole number", f"{what} {shown(text)}")
        if not low <= int(text) <= high:
            raise self.error(f"{low} to {high}", f"{what} {text}")
        return int(text)

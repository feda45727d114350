"""Who may do what: bearer tokens with names."""

import hmac
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from ....callbacks.argument_error import ArgumentError

LOCAL = "local"
"""Whose everything is where there are no tokens."""

_LEAST_LETTERS = 16
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")


class Tokens:
    """The tokens of a service.

    Parameters
    ----------
    by_name
        Tokens by their owners' names; none lets everybody do everything.

    Raises
    ------
    ValueError
        For a name or token that is none, and for one token of two names. No
        message has a token in it.
    """

    def __init__(self, by_name: Mapping[str, str] | None = None) -> None:
        self._by_name = dict(by_name or {})
        for name, token in self._by_name.items():
            if not _NAME.fullmatch(name):
                wanted = "1 to 64 letters, digits and ._@-"
                raise ArgumentError.of("a token's name", wanted, name)
            if len(token) < _LEAST_LETTERS or not token.isascii() or not token.isprintable():
                raise ArgumentError(
                    f"the token of {name} must be at least {_LEAST_LETTERS} letters, digits and "
                    f"signs without blanks, got {len(token)} letters"
                )
        if len(set(self._by_name.values())) < len(self._by_name):
            raise ArgumentError("each name must have a token of its own, got one token twice")

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file of lines ``NAME TOKEN`` that nobody but its owner can read.

        Raises
        ------
        OSError
            If it cannot be read.
        ValueError
            If others can read it too, or a line is none.
        """
        with Path(path).open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ValueError(
                    f"{path}: found the mode {mode:04o}, expected 0600, since others may not read "
                    f"tokens; run chmod 600 {path}"
                )
            lines = file.read().splitlines()
        found: dict[str, str] = {}
        for number, line in enumerate(lines, 1):
            parts = line.split()
            if not parts or line.lstrip().startswith("#"):
                continue
            if len(parts) != 2 or parts[0] in found:
                # Without the line, which may hold a token.
                raise ValueError(
                    f"{path}:{number}: found {len(parts)} words, expected a new name and a token"
                )
            found[parts[0]] = parts[1]
        if not found:
            raise ValueError(f"{path}: found no token, expected lines NAME TOKEN")
        return cls(found)

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def __repr__(self) -> str:
        return f"Tokens({', '.join(self._by_name)})"

    @property
    def names(self) -> list[str]:
        """The owners."""
        return list(self._by_name)

    def owner_of(self, token: str) -> str | None:
        """Return whose a token is, in a time that tells nothing of the others."""
        given, owner = token.encode(), None
        for name, known in self._by_name.items():
            if hmac.compare_digest(known.encode(), given):
                owner = name
        return owner

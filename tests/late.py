"""Libraries of tests that take long to import."""

from typing import Any

import pytest


class Late:
    """A module that is imported when something of it is asked for.

    All processes of the tests import all their files, but each runs a few only. Where
    the module is missing, the test that asks for it skips.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            # Asked by those who look for fixtures.
            raise AttributeError(attribute)
        package = self._name.partition(".")[0]
        module = pytest.importorskip(self._name, reason=f"{package} is not installed")
        return getattr(module, attribute)

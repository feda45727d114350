"""Runs the Python examples of README.md and docs/ as tests, those of a page one after another."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser


def enter_a_folder(namespace: dict[str, Any]) -> None:
    """Let a page's examples write their files where nothing is, as a program of their own."""
    namespace["__name__"] = "__main__"
    namespace["_left"] = Path.cwd(), os.environ.pop("REDIS_URL", None)
    os.chdir(tempfile.mkdtemp(prefix="schoolbell-docs-"))


def leave_the_folder(namespace: dict[str, Any]) -> None:
    """Put back what `enter_a_folder` changed."""
    folder, (home, url) = Path.cwd(), namespace["_left"]
    os.chdir(home)
    shutil.rmtree(folder)
    if url is not None:
        os.environ["REDIS_URL"] = url


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    setup=enter_a_folder,
    teardown=leave_the_folder,
).pytest()

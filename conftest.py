"""Runs the Python examples of README.md and docs/ as tests, those of a page one after another."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sybil import Document, Example, Region, Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser
from sybil.region import Lexeme


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


# What an example may need that nothing else here does: the extra `peers`, and who trains networks.
PEERS = {"pymoo", "cloudpickle", "optuna", "sklearn", "scipy", "pyvrp", "deap", "cma", "nevergrad"}
PEERS |= {"keras"}


# What a reader waits for longer is cut short here: an example does the same in less time.
MOST_SECONDS = 2


def python_or_skip(document: Document) -> Iterator[Region]:
    """Find Python blocks; one that needs a library that is not installed is skipped."""
    for region in PythonCodeBlockParser()(document):
        text = re.sub(r"(?<=[ (]time_limit=)\d+(?=\))", shorter, region.parsed)
        region.parsed = Lexeme(text, region.parsed.offset, region.parsed.line_offset)
        region.evaluator = partial(evaluate_or_skip, region.evaluator)
        yield region


def shorter(seconds: re.Match[str]) -> str:
    return str(min(int(seconds[0]), MOST_SECONDS))


def evaluate_or_skip(evaluate: Callable[[Example], None], example: Example) -> None:
    try:
        evaluate(example)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PEERS:
            raise
        pytest.skip(f"{error.name} is not installed: pip install schoolbell[peers]")


pytest_collect_file = Sybil(
    parsers=[python_or_skip, SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/*/*.md"],
    setup=enter_a_folder,
    teardown=leave_the_folder,
).pytest()

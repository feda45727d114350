"""Take the tables in docs/measured anew: each stands below the command that made it.

    python benchmarks/refresh_tables.py quality [--from OUTPUT] [--pages docs/measured]

Finds the command lines of that benchmark in the pages, runs them from the project's
root, and puts the table that each prints in the place of the one below it. ``--from``
takes the table from a file that a run has printed before, for a benchmark that stands
there once. What a benchmark prints below its table is shown and left to the reader to
put into words, as is the date on the page.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

TABLE = r"(?:^\|.*\|\n)+"


def main() -> None:
    parser = argparse.ArgumentParser(description="Refresh the tables in docs/measured.")
    parser.add_argument("benchmark", help="name of the script: quality, scaling, …")
    parser.add_argument("--from", dest="output", type=Path, help="file with a run's output")
    parser.add_argument("--pages", type=Path, default=ROOT / "docs" / "measured")
    args = parser.parse_args()
    found = {}
    for page in sorted(args.pages.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        if here := commands(text, args.benchmark):
            found[page] = text, here
    count = sum(len(here) for _, here in found.values())
    if not count or (args.output and count > 1):
        parser.error(f"{args.pages} has {count} commands of {args.benchmark!r} with a table")
    take = _run if args.output is None else lambda _: args.output.read_text(encoding="utf-8")
    for page, (text, here) in found.items():
        page.write_text(refreshed(text, here, take), encoding="utf-8")


def commands(text: str, benchmark: str) -> list[str]:
    """List the shell blocks of a text that run a benchmark and have its table right below."""
    name = re.escape(benchmark)
    pattern = rf"^```sh\n(python benchmarks/{name}\.py\b(?:(?!^```)[\s\S])*)^```\n\n(?={TABLE})"
    return re.findall(pattern, text, re.MULTILINE)


def refreshed(text: str, found: list[str], take: Callable[[str], str]) -> str:
    """Return the text with a new table below each command.

    Parameters
    ----------
    text
        A page.
    found
        Shell blocks in it.
    take
        Returns what a shell block prints.

    Raises
    ------
    ValueError
        If a command printed no table, or none stands below its block.
    """
    for command in found:
        head, block, tail = text.partition(f"```sh\n{command}```\n")
        old, new = _table(tail), _table(take(command))
        text = head + block + tail.replace(old, new, 1)
    return text


def _table(text: str) -> str:
    """Return the first Markdown table of a text."""
    table = re.search(TABLE, text + "\n", re.MULTILINE)
    if table is None:
        raise ValueError(f"there is no table in {text[:200]!r}")
    return table[0]


def _run(command: str) -> str:
    print(command, file=sys.stderr)
    # The page's own lines, with the interpreter and the package that run this.
    line = re.sub(r"^python\b", f'"{sys.executable}"', command, flags=re.MULTILINE)
    output = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    print(output, file=sys.stderr)
    return output


if __name__ == "__main__":
    main()

"""Draws the README's picture: what ``schoolbell fit`` leaves in a real terminal.

Run it from the project's root: ``python docs/picture.py`` (needs ``pip install pyte``).
"""

import io
import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from fcntl import ioctl
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS, ROWS = 104, 48
PICTURE = Path(__file__).with_name("run.svg").resolve()
PROGRAM = Path(sys.executable).with_name("schoolbell")


def run_in_terminal(command: list[str], folder: str) -> pyte.Screen:
    """Run a command in a terminal of its own and return what the screen shows at the end."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    environment = os.environ | {"TERM": "xterm-256color"}
    terminal = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    with subprocess.Popen(command, cwd=folder, env=environment, **terminal) as process:
        os.close(theirs)
        while chunk := _read(ours):
            stream.feed(chunk)
    os.close(ours)
    if process.returncode:
        sys.exit(f"{command} ended with status {process.returncode}")
    return screen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:
        # How Linux tells that the other side has closed a terminal.
        return b""


def as_text(screen: pyte.Screen) -> Text:
    """Turn a screen into rich's text, without the empty lines at its end."""
    lines = []
    for row in range(screen.lines):
        line = Text()
        for column in range(screen.columns):
            cell = screen.buffer[row][column]
            line.append(cell.data, Style(color=_color(cell.fg), bold=cell.bold or None))
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return Text("\n").join(lines)


def _color(name: str) -> str | None:
    names = {"default": None, "brown": "yellow"}
    if name in names:
        return names[name]
    is_hex = len(name) == 6 and all(digit in "0123456789abcdef" for digit in name)
    return f"#{name}" if is_hex else name.replace("bright", "bright_")


def main() -> None:
    """Run the demo and write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        screen = run_in_terminal([str(PROGRAM), "fit"], folder)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text("$ schoolbell fit", style="bold"))
    console.print(as_text(screen))
    console.save_svg(str(PICTURE), title="schoolbell")


if __name__ == "__main__":
    main()

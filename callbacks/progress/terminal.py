"""Who draws on a terminal: one display at a time, above which the others put their lines.

A display that moves the cursor owns its terminal while it is shown. Who comes
later, in the same process, writes lines above it: a `fit` in a stage, in a
callback or in another thread. Bars of tqdm and live displays of rich that
belong to somebody else are owners too.
"""

import os
import shutil
import sys
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, Protocol, TextIO

from .safe_stream import SafeStream

_Writer = Callable[[str], object]


class _Owner(Protocol):
    def print_above(self, text: str) -> None: ...


_lock = threading.Lock()
# By terminal: the process and the display that owns it. A forked process has no thread that draws.
_owners: dict[Hashable, tuple[int, _Owner]] = {}


def is_usable(stream: Any) -> bool:
    """Tell whether there is a stream and it is open."""
    return stream is not None and not getattr(stream, "closed", False)


def is_terminal(stream: Any) -> bool:
    """Tell whether a stream is there, open, and a terminal."""
    isatty = getattr(stream, "isatty", None)
    if isatty is None:
        return False
    with suppress(ValueError, OSError):
        return bool(isatty())
    return False


def terminal_size(stream: Any) -> os.terminal_size | None:
    """Return columns and lines of a terminal; None for what is none."""
    if not is_terminal(stream):
        return None
    size = None
    with suppress(ValueError, OSError, AttributeError):
        size = os.get_terminal_size(stream.fileno())
    names = ("COLUMNS", "LINES")
    if size is None or not all(size) or any(name in os.environ for name in names):
        # Which looks at the environment first, as people expect.
        return shutil.get_terminal_size(size if size and all(size) else (80, 24))
    return size


def claim(stream: TextIO | SafeStream, display: _Owner) -> bool:
    """Let a display own the terminal of a stream, if nobody else does; return whether it does."""
    with _lock:
        terminal = _identity(stream)
        if terminal in _owners or _writer_of_others(stream) is not None:
            return False
        _owners[terminal] = (os.getpid(), display)
        return True


def release(display: _Owner) -> None:
    """Let a display own no terminal any more."""
    with _lock:
        for terminal, (_, owner) in list(_owners.items()):
            if owner is display:
                del _owners[terminal]


def print_line(stream: TextIO | SafeStream, text: str) -> None:
    """Write a line to a stream, above the display that owns its terminal."""
    with _lock:
        process, owner = _owners.get(_identity(stream), (None, None))
        write = _writer_of_others(stream) if owner is None else None
    if owner is not None:
        if process == os.getpid():
            owner.print_above(text)
    elif write is not None:
        write(text)
    else:
        # In one piece, that lines of two threads do not mix.
        stream.write(f"{text}\n")
        stream.flush()


def announce(text: str) -> None:
    """Print a line on ``sys.stderr``, if that is there and takes it; never among the results."""
    stream = sys.stderr
    if is_usable(stream):
        with suppress(OSError, ValueError):
            print_line(SafeStream(stream), text)


def _identity(stream: Any) -> Hashable:
    """Return what tells one terminal from another: stdout and stderr may be the same."""
    stream = _unwrapped(stream)
    with suppress(ValueError, OSError, AttributeError):
        number = stream.fileno()
        if os.isatty(number):
            return ("terminal", os.fstat(number).st_rdev)
    return id(stream)


def _unwrapped(stream: Any) -> Any:
    """Return the stream behind those that rich, tqdm and this package put before it."""
    while True:
        if isinstance(stream, SafeStream):
            behind = stream.stream
        else:
            behind = getattr(stream, "rich_proxied_file", None) or getattr(stream, "_wrapped", None)
        if behind is None:
            return stream
        stream = behind


def _writer_of_others(stream: TextIO | SafeStream) -> _Writer | None:
    """Return what writes a line above the bars that somebody else shows there, if there are any."""
    if not is_terminal(stream):
        return None
    terminal = _identity(stream)
    return _above_tqdm(terminal) or _above_rich(terminal)


def _above_tqdm(terminal: Hashable) -> _Writer | None:
    tqdm = getattr(sys.modules.get("tqdm.std"), "tqdm", None)
    if tqdm is None:
        return None
    for bar in list(getattr(tqdm, "_instances", ())):
        stream = getattr(bar, "fp", None)
        if not getattr(bar, "disable", True) and stream and _identity(stream) == terminal:
            return lambda text: tqdm.write(text, file=stream)
    return None


def _above_rich(terminal: Hashable) -> _Writer | None:
    rich = sys.modules.get("rich")
    if rich is None:
        return None
    for stream in (sys.stderr, sys.stdout):
        # So a live display has it that prints do not break it.
        if stream is None or not hasattr(stream, "rich_proxied_file"):
            continue
        if _identity(stream) == terminal:
            write = stream.write
            return lambda text: write(f"{text}\n")
    console = getattr(rich, "_console", None)
    live = getattr(console, "_live_stack", None) or getattr(console, "_live", None)
    if console is not None and live and _identity(console.file) == terminal:
        return lambda text: console.print(text, markup=False, highlight=False)
    return None

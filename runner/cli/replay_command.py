"""``schoolbell replay``: from a recorded run to other files of it."""

import argparse
import io
from collections.abc import Callable
from pathlib import Path

from ...callbacks import Callback, CSVLogger, ProgbarLogger
from ...stages.files.atomic import write_bytes_atomically
from ...stages.files.check_writable import check_writable
from ...stages.timetable import FormatError
from ..config.config_error import ConfigError
from ..replaying.replay import replay
from ..results.run import Run
from .fit_command import tensor_board

_PICTURES = (".png", ".svg", ".pdf")


def replay_command(args: argparse.Namespace) -> int:
    """Show a recorded run again and make files of it.

    Parameters
    ----------
    args
        The arguments of ``schoolbell replay``.

    Returns
    -------
    int
        The exit status: 0, however the recorded run ended.

    Raises
    ------
    TimetableError, OSError, UnknownJobError, RedisUnavailableError
        If there is no such recording, or a file cannot be written.
    """
    for path in (args.csv, args.plot):
        if path is not None:
            check_writable(path)
    draw = None if args.plot is None else _drawing(args.plot)
    source = Path(args.source)
    log: Path | None = args.csv
    if log is not None and log.exists() and source.exists() and log.samefile(source):
        raise FormatError(log, None, "the log that is replayed", "another file")
    callbacks: list[Callback] = [] if args.quiet else [ProgbarLogger()]
    if log is not None:
        callbacks.append(CSVLogger(log))
    board = tensor_board(args)
    if board is not None:
        callbacks.append(board)
    run = replay(args.source, callbacks, args.speed, url=args.redis, prefix=args.prefix)
    if draw is not None:
        draw(run)
    print(run.summary())
    return 0


def _drawing(path: Path) -> Callable[[Run], None]:
    """Return what draws a run's cost into a file; complain first if that cannot be done."""
    if path.suffix not in _PICTURES:
        raise ConfigError(f"{path}: a picture's name must end in {', '.join(_PICTURES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("--plot needs matplotlib: pip install 'schoolbell[plot]'") from None

    def draw(run: Run) -> None:
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        run.history.plot(ax=figure.subplots())
        picture = io.BytesIO()
        figure.savefig(picture, format=path.suffix[1:])
        write_bytes_atomically(path, picture.getvalue())

    return draw

"""``schoolbell replay``: from a recorded run to other files of it."""

import argparse
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..arguments import add_server, seconds
from ..parser import Commands, Parser

if TYPE_CHECKING:
    from ....callbacks import Callback
    from ...results.run import Run

_PICTURES = (".png", ".svg", ".pdf")


def add_parser(commands: Commands) -> Parser:
    """Add the command's parser."""
    parser = commands.add_parser(
        "replay",
        help="show a recorded run again, or make a TensorBoard folder of it",
        description="Fire a recorded run's events again, at once or at a pace.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="the log.csv of a run, or redis:JOB_ID for one that Redis knows",
    )
    add(
        "--speed",
        type=seconds,
        metavar="X",
        help="recorded seconds in one: 1 for the run's own pace (default: all at once)",
    )
    add("--tensorboard", type=Path, metavar="DIR", help="write what TensorBoard reads")
    add("--csv", type=Path, metavar="FILE", help="write a log, a row per batch")
    add("--plot", type=Path, metavar="FILE", help="draw the cost over time, as .png, .svg or .pdf")
    add("--quiet", action="store_true", help="show no progress")
    add_server(parser)
    return parser


def run(args: argparse.Namespace) -> int:
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
    InputError, OSError, UnknownJobError, RedisUnavailableError
        If there is no such recording, or a file cannot be written.
    """
    from ....callbacks import CSVLogger, ProgbarLogger
    from ....stages.errors import FormatError
    from ....stages.files.check_writable import check_writable
    from ...replaying.replay import replay
    from ..fit_command import tensor_board

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
    replayed = replay(args.source, callbacks, args.speed, url=args.redis, prefix=args.prefix)
    if draw is not None:
        draw(replayed)
    print(replayed.summary())
    return 0


def _drawing(path: Path) -> "Callable[[Run], None]":
    """Return what draws a run's cost into a file; complain first if that cannot be done."""
    from ....stages.files.atomic import write_bytes_atomically
    from ...config.config_error import ConfigError

    if path.suffix not in _PICTURES:
        raise ConfigError(f"{path}: a picture's name must end in {', '.join(_PICTURES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("--plot needs matplotlib: pip install 'schoolbell[plot]'") from None

    def draw(run: "Run") -> None:
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        run.history.plot(ax=figure.subplots())
        picture = io.BytesIO()
        figure.savefig(picture, format=path.suffix[1:])
        write_bytes_atomically(path, picture.getvalue())

    return draw

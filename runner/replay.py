"""Fire the hooks of a recorded run again."""

import math
import os
from collections.abc import Sequence
from typing import Literal

from ..callbacks import Callback, CallbackList, History
from ..callbacks.job_keys import DEFAULT_PREFIX
from .csv_recording import read_csv
from .player import Player
from .redis_recording import read_redis
from .run import Run


def replay(
    source: str | os.PathLike[str],
    callbacks: Sequence[Callback] | Callback | None = None,
    speed: float | None = None,
    *,
    url: str | None = None,
    prefix: str = DEFAULT_PREFIX,
    callback_errors: Literal["raise", "warn"] = "raise",
) -> Run:
    """Fire the hooks of a recorded run again, to see or to keep it in another way.

    So a TensorBoard directory, a plot or another CSV file can be made long
    after the run. There are no solutions in a recording: ``on_solution`` gets
    None. A log of batches does not tell how each stage ended, nor why the run
    did: it counts as finished when its progress came to 1, otherwise as
    interrupted.

    Parameters
    ----------
    source
        The CSV file that a `CSVLogger` wrote, or the id of a job that a
        `RedisLogger` told of: ``redis:JOB_ID``.
    callbacks
        Who watches.
    speed
        How many recorded seconds pass in one: 1 for the run's own pace, None
        for all at once.
    url
        The Redis server, by default the environment's ``REDIS_URL``.
    prefix
        What the Redis keys begin with.
    callback_errors
        As for `Pipeline.fit`.

    Returns
    -------
    Run
        The recorded run, with its history and without a solution.

    Raises
    ------
    ValueError
        For an impossible speed.
    FormatError
        For a file that is no such log.
    UnknownJobError, RedisUnavailableError
        For a job that the server does not know, or a server that cannot be used.
    CallbackError
        When a callback raised.

    Examples
    --------
    >>> run = replay("runs/monday/log.csv", TensorBoard("logs/monday"))  # doctest: +SKIP
    >>> run.history.plot()  # doctest: +SKIP
    """
    if speed is not None and not 0 < speed < math.inf:
        raise ValueError(f"speed must be a positive number or None, got {speed!r}")
    name = os.fsdecode(source)
    if name.startswith("redis:"):
        recording = read_redis(name.removeprefix("redis:"), url, prefix)
    else:
        recording = read_csv(source)
    history = History()
    given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
    watchers = CallbackList([history, *given], callback_errors)
    with watchers.watching():
        return Player(recording, watchers, history, speed).play()

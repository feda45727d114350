"""Fire the hooks of a recorded run again."""

import math
import os
from collections.abc import Sequence
from typing import Literal

from ...callbacks import ArgumentError, Callback, CallbackList, History
from ...callbacks.argument_error import check_number
from ...callbacks.remote.job_keys import DEFAULT_PREFIX
from ..fit_arguments import check_callback_errors, checked_callbacks
from ..results.run import Run
from ..tracebacks import hiding_own_frames
from .csv_recording import read_csv
from .player import Player
from .redis_recording import read_redis


@hiding_own_frames
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
    ArgumentError
        For an argument that makes no sense.
    FormatError
        For a file that is no such log.
    UnknownJobError, RedisUnavailableError
        For a job that the server does not know, or a server that cannot be used.
    CallbackError
        When a callback raised.

    Examples
    --------
    >>> from schoolbell.callbacks import CSVLogger, LambdaCallback
    >>> from schoolbell.runner import Pipeline
    >>> from schoolbell.stages import MapBatches
    >>> pipeline = Pipeline([MapBatches(sum, [1, 2, 3], name="sums")])
    >>> run = pipeline.fit(callbacks=CSVLogger("monday.csv"), verbose=False)
    >>> tell = LambdaCallback(on_batch_end=lambda batch, logs: print(logs["stage"], logs["done"]))
    >>> run = replay("monday.csv", tell)
    sums 1
    sums 2
    sums 3
    >>> len(run.history)
    3
    """
    given = checked_callbacks(callbacks)
    check_callback_errors(callback_errors)
    if speed is not None:
        check_number("speed", speed, 0, "a positive number or None")
        if not 0 < speed < math.inf:
            raise ArgumentError.of("speed", "a positive number or None", speed)
    if not isinstance(source, str | os.PathLike):
        raise ArgumentError.of("source", "the path of a log or redis:JOB_ID", source)
    name = os.fsdecode(source)
    if name.startswith("redis:"):
        recording = read_redis(name.removeprefix("redis:"), url, prefix)
    else:
        recording = read_csv(source)
    history = History()
    watchers = CallbackList([history, *given], callback_errors)
    with watchers.watching():
        return Player(recording, watchers, history, speed).play()

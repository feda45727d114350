"""A worker's process: takes jobs until it is asked to end."""

import logging
import os
import signal
import threading
import time
import warnings

from redis import RedisError

from ..jobs.sweeper import Sweeper
from ..settings import Settings
from ..working.job_worker import JobWorker

PARENT_VARIABLE = "SCHOOLBELL_PARENT"
"""Names the process without which this one is to end; in the environment."""

_AGAIN_SECONDS = 1.0
_LOOK_SECONDS = 1.0
# For the job at work to be saved; it ends by itself too when this process has gone.
_FAREWELL_SECONDS = 5.0


def work(settings: Settings) -> None:
    """Work on a service's jobs until SIGTERM or SIGINT, however often its server goes away.

    Parameters
    ----------
    settings
        The service's.
    """
    logging.getLogger("rq.worker").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module="rq")
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    _end_with_parent()
    sweeper = Sweeper(settings)
    sweeper.start()
    try:
        while not ended.is_set():
            worker = None
            try:
                worker = JobWorker.of(settings)
                # It takes the signals over, and gives them back to nobody.
                worker.work(logging_level="ERROR")
            except (RedisError, OSError):
                pass
            # While its server is away it cannot say that it ends, but it does; what listens
            # for commands would keep the process alive, and gather with each time.
            if worker is not None and worker.pubsub_thread is not None:
                worker.pubsub_thread.stop()
            if worker is not None and not worker.is_wanted:
                break
            # Its server was away, or it has met what it did not expect.
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: ended.set())
            ended.wait(_AGAIN_SECONDS)
    finally:
        sweeper.stop()


def _end_with_parent() -> None:
    """End when the process that started this one has gone, if it said that it was to be so."""
    parent = os.environ.pop(PARENT_VARIABLE, "")
    if not parent:
        return

    def look() -> None:
        while os.getppid() == int(parent):
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        # While the server is away, which mostly went with the parent, nothing hears the signal.
        time.sleep(_FAREWELL_SECONDS)
        os._exit(1)

    threading.Thread(target=look, name="parent", daemon=True).start()

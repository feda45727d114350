"""The tasks that a stage has on an executor, wherever that runs them."""

import itertools
import secrets
import shutil
import tempfile
import weakref
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

from .daemon_pool import DaemonPool
from .far_call import Sender, place_of, run_there, this_process, this_terminal
from .waiting import Beat, Counts, wait_all

# Work of less time than this is done here and not sent to another process.
WORTH_SENDING = 1.0
# What starting workers and importing there may take.
STARTING = 2.0
# What workers on this machine get to hear that nobody waits for them any more: then they
# are free for what is next, and their executor's end has nothing to break off. Busy ones
# take more than half a second, and Dask tells of a task that ends just as it is cancelled.
HEARING = 1.2

_found_out: "weakref.WeakKeyDictionary[Executor, bool]" = weakref.WeakKeyDictionary()


class TaskGroup:
    """The tasks that a stage submits in a run, and ends with it.

    Threads of this process get them as they are. In another process Ctrl-C, which a
    terminal sends to all processes, is left to this one; and on this machine a task there
    hears when the group is closed: its `StopFlag` is set, and soon after, where it is
    Python that runs, it is broken off.

    Parameters
    ----------
    executor
        Of the run.
    """

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._near: DaemonPool | None = None
        self._is_far = False
        self._futures: set[Future[Any]] = set()
        self._numbers = itertools.count()
        self._mark = secrets.token_hex(8)

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Have a function of a module called."""
        if _is_of_threads(self.executor):
            future = self.executor.submit(function, *arguments)
        else:
            place = place_of(self.folder) or ()
            future = self._send(str(self.folder), place, function, arguments)
        self._note(future)
        return future

    def leave(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Have a function called, to its end even if the group is closed before."""
        if _is_of_threads(self.executor):
            return self.executor.submit(function, *arguments)
        return self._send("", (), function, arguments)

    def _send(
        self,
        folder: str,
        place: tuple[Any, ...],
        function: Callable[..., Any],
        arguments: tuple[Any, ...],
    ) -> Future[Any]:
        mark = f"{self._mark}-{next(self._numbers)}"
        sender = Sender(this_process(), this_terminal(), folder, place, mark)
        return self.executor.submit(run_there, sender, function, arguments)

    def start(
        self, function: Callable[..., Any], /, *arguments: Any, seconds: float | None
    ) -> Future[Any]:
        """Have a function called as `submit` does, here if it is not worth being sent.

        It is not where it takes less than a second and `runs_elsewhere` has found the
        workers in other processes.
        """
        if not self._is_far or seconds is None or seconds >= WORTH_SENDING:
            return self.submit(function, *arguments)
        if self._near is None:
            self._near = DaemonPool(1, "schoolbell-aside")
        future = self._near.submit(function, *arguments)
        self._note(future)
        return future

    @property
    def may_run_elsewhere(self) -> bool:
        """Whether the workers may be in other processes; False where they are known not to be."""
        return not _is_of_threads(self.executor) and self._known is not False

    def runs_elsewhere(self) -> Generator[Beat, None, bool]:
        """Yield until it is known whether the executor has its workers in other processes."""
        known = self._known if self.may_run_elsewhere else False
        if known is None:
            (process,) = yield from wait_all([self.leave(this_process)], STARTING)
            known = process != this_process()
            with suppress(TypeError):
                _found_out[self.executor] = known
        self._is_far = known
        return known

    def wait(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        seconds: float | None,
        message: str | None = None,
        counts: Counts | None = None,
    ) -> Generator[Beat, None, Any]:
        """Yield every tenth of a second until a function has been called; return its result.

        Where it takes less than is worth sending to another process it is called in a
        thread of this one. What nobody waits for any more is cancelled.
        """
        yield from self.runs_elsewhere()
        future = self.start(function, *arguments, seconds=seconds)
        try:
            (result,) = yield from wait_all([future], seconds, message, counts)
        finally:
            future.cancel()
        return result

    @property
    def _known(self) -> bool | None:
        try:
            return _found_out.get(self.executor)
        except TypeError:
            # It can be no key.
            return None

    @property
    def folder(self) -> Path:
        """Made when it is asked for, and removed when the group is closed."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(
                prefix="schoolbell-", ignore_cleanup_errors=True
            )
        return Path(self._folder.name)

    def close(self) -> None:
        """Cancel what waits, and let what runs end, as nobody waits for it any more."""
        if self._folder is not None:
            # Under another name first: where a worker is just writing, removing may fail.
            over = self.folder.rename(f"{self._folder.name}-over")
            shutil.rmtree(over, ignore_errors=True)
            self._folder.cleanup()
            self._folder = None
            # Cancelled before, a task of Dask's would be reported as lost by its worker.
            wait(list(self._futures), HEARING)
        for future in list(self._futures):
            future.cancel()
        if self._near is not None:
            self._near.shutdown(wait=False)
            self._near = None

    def _note(self, future: Future[Any]) -> None:
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)


def _is_of_threads(executor: Executor) -> bool:
    # Not of a class derived from them, which may do what it wants.
    return type(executor) in (ThreadPoolExecutor, DaemonPool)

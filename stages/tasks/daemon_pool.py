"""Threads that hold up nobody's end."""

import atexit
import queue
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

T = TypeVar("T")
Task = tuple["Future[Any]", Callable[[], Any]]

PATIENCE = 0.5
"""Seconds that the end of the process waits in all for threads that are busy."""

_pools: "weakref.WeakSet[DaemonPool]" = weakref.WeakSet()


class DaemonPool(Executor):
    """An executor of threads that the process does not wait for at its end.

    The threads of `concurrent.futures.ThreadPoolExecutor` are joined when the
    interpreter ends, so a task that nobody wants any more holds up the process
    for as long as it runs. These are waited for half a second, in all.

    Parameters
    ----------
    workers
        Most threads; one is started when a task finds none that is idle.
    name
        What the threads' names begin with.
    """

    def __init__(self, workers: int, name: str = "schoolbell") -> None:
        self._workers = workers
        self._name = name
        self._lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        # Threads that wait for a task, less the tasks that wait for one of them.
        self._idle = 0
        self._over = False
        _pools.add(self)

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        """Have a function called by one of the threads.

        Raises
        ------
        RuntimeError
            After `shutdown`.
        """
        future: Future[T] = Future()
        with self._lock:
            if self._over:
                raise RuntimeError("cannot submit after shutdown")
            self._tasks.put((future, lambda: fn(*args, **kwargs)))
            self._idle -= 1
            if self._idle < 0 and len(self._threads) < self._workers:
                self._start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks, let the threads end, and wait for them if asked to."""
        with self._lock:
            first, self._over = not self._over, True
            if cancel_futures:
                self._cancel_waiting()
            if first or cancel_futures:
                for _ in self._threads:
                    self._tasks.put(None)
        if wait:
            for thread in self._threads:
                thread.join()

    @property
    def busy(self) -> list[threading.Thread]:
        """The threads that have not ended."""
        return [thread for thread in self._threads if thread.is_alive()]

    def _start(self) -> None:
        name = f"{self._name}_{len(self._threads)}"
        thread = threading.Thread(target=self._work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)
        self._idle += 1

    def _cancel_waiting(self) -> None:
        while True:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                return
            if task is not None:
                task[0].cancel()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            _run(*task)
            # A thread that waits for its next task keeps nothing of the last one alive.
            del task
            with self._lock:
                self._idle += 1


def _run(future: "Future[Any]", call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
        # The exception holds this frame, which would hold it.
        del future
    else:
        future.set_result(result)


def busy_threads() -> list[threading.Thread]:
    """Return the threads of all pools, those of `Pipeline.fit` among them, that have not ended."""
    return [thread for pool in list(_pools) for thread in pool.busy]


@atexit.register
def _wait_in_vain() -> None:
    """Give busy threads a moment: in the midst of C++ they are better not cut off."""
    for pool in list(_pools):
        pool.shutdown(wait=False, cancel_futures=True)
    deadline = time.monotonic() + PATIENCE
    for thread in busy_threads():
        thread.join(max(0.0, deadline - time.monotonic()))

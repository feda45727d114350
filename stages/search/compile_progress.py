"""How far the compilation of the kernels is."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..tasks.waiting import part_of_time
from .machinery import CompileListener


class KernelWork(NamedTuple):
    """What compiling a kernel takes, in steps of about equal length.

    Attributes
    ----------
    name
        Of the kernel.
    functions
        That are compiled for it and for no kernel before it, itself included.
    lowering
        Steps in which these are compiled one by one.
    optimising
        Steps in which they are optimised together, of which numba tells nothing.
    """

    name: str
    functions: int
    lowering: int
    optimising: int

    @property
    def steps(self) -> int:
        """All of them."""
        return self.lowering + self.optimising

    def steps_of(self, functions: int, more: int = 0) -> float:
        """Return the steps that are done when so many functions have been compiled.

        Parameters
        ----------
        functions
            Of those that are compiled for it, itself not included.
        more
            Functions of kernels before it that may have to be compiled too, since those
            kernels were read from numba's cache.
        """
        return self.lowering * min(functions / max(self.functions + more - 1, 1), 1.0)


# Of a step, before any was timed.
USUAL_SECONDS = 0.1
# Before the names of the package's modules.
_OWN = f"{__name__.partition('.')[0]}."
# Some functions take as long as several others: so many steps time alone may go ahead.
AHEAD = 12.0
# So many steps a second are told in any case, however long a function takes.
CREEP = 1.6


@dataclass
class _Thread:
    """What a thread compiles: the functions in hand, a kernel's steps, and where it began."""

    stack: list[str] = field(default_factory=list)
    kernel: int | None = None
    functions: set[str] = field(default_factory=set)


class CompileProgress(CompileListener):
    """Listens to numba, from any thread, and counts the steps of the compilation.

    A kernel that is read from numba's cache is compiled for no step; as the order is
    known, it is passed when a later one is begun.

    Parameters
    ----------
    kernels
        The kernels in the order in which they are called first.
    """

    def __init__(self, kernels: Sequence[KernelWork]) -> None:
        self._kernels = kernels
        self.steps = steps_of(kernels)
        self._lock = threading.Lock()
        self._threads: dict[int, _Thread] = {}
        # Kernels that have been compiled, not read.
        self._compiled: set[int] = set()
        self._done = 0.0
        self._first: float | None = None
        self._began = self._since = 0.0
        self._told = self._looked = 0.0
        #: Whether anything has been compiled, rather than read from the cache.
        self.compiles = False

    def on_start(self, event: Any) -> None:
        """Take notice of a function whose compilation begins."""
        name = _name(event)
        with self._lock:
            now = time.monotonic()
            if not self.compiles:
                self.compiles, self._began = True, now
            thread = self._threads.setdefault(threading.get_ident(), _Thread())
            if not thread.stack:
                thread.kernel = next(
                    (i for i, k in enumerate(self._kernels) if k.name == name), None
                )
                thread.functions.clear()
                if thread.kernel is not None:
                    self._advance(self._steps_before(thread.kernel), now)
                    if self._first is None:
                        self._first = self._done
            thread.stack.append(name)

    def on_end(self, event: Any) -> None:
        """Take notice of a function that has been compiled."""
        with self._lock:
            thread = self._threads.get(threading.get_ident())
            if thread is None or not thread.stack:
                return
            name = thread.stack.pop()
            if thread.kernel is None:
                return
            kernel = self._kernels[thread.kernel]
            before = self._steps_before(thread.kernel)
            if not thread.stack:
                self._advance(before + kernel.steps, time.monotonic())
                self._compiled.add(thread.kernel)
                thread.kernel = None
            elif _is_own(event):
                thread.functions.add(name)
                done = kernel.steps_of(len(thread.functions), self._more_functions(thread.kernel))
                self._advance(before + done, time.monotonic())

    def _advance(self, done: float, now: float) -> None:
        if done > self._done:
            self._done, self._since = done, now

    @property
    def steps_done(self) -> float:
        """Steps of the compilation that are done, and a guess at the one in hand."""
        with self._lock:
            if not self.compiles:
                return 0.0
            now = time.monotonic()
            timed = self._done - (self._first or 0.0)
            # At first those few seconds that one usually takes count as well.
            pace = (self._since - self._began + USUAL_SECONDS) / (timed + 1)
            ahead = self._steps_in_hand()
            moving = ahead * part_of_time(now - self._since, ahead * pace)
            creep = self._told + CREEP * (now - self._looked) if self._looked else 0.0
            self._looked = now
            # Time alone never tells that a kernel is compiled.
            creep = min(creep, self._steps_before(self._kernel_in_hand() + 1) - 0.5)
            self._told = max(self._told, self._done + moving, creep)
            return min(self._told, float(self.steps))

    def _kernel_in_hand(self) -> int:
        """Return the kernel that is being compiled, or the one that comes next."""
        for thread in self._threads.values():
            if thread.kernel is not None:
                return thread.kernel
        ended = [i for i in range(len(self._kernels)) if self._steps_before(i + 1) <= self._done]
        return min(len(ended), len(self._kernels) - 1)

    def _steps_in_hand(self) -> float:
        """Return how many steps may be done before numba tells anything."""
        for thread in self._threads.values():
            if thread.kernel is not None:
                kernel, functions = self._kernels[thread.kernel], len(thread.functions)
                more = self._more_functions(thread.kernel)
                following = self._steps_before(thread.kernel) + kernel.steps_of(functions + 1, more)
                if functions >= kernel.functions + more - 1:
                    following += kernel.optimising
                end = self._steps_before(thread.kernel + 1)
                return min(max(following - self._done, AHEAD), end - self._done)
        return 0.0

    def _more_functions(self, kernel: int) -> int:
        """Count the functions of kernels before that have been read and not compiled."""
        before = (i for i in range(kernel) if i not in self._compiled)
        return sum(self._kernels[i].functions for i in before)

    def _steps_before(self, kernel: int) -> int:
        return steps_of(self._kernels[:kernel])


def steps_of(kernels: Sequence[KernelWork]) -> int:
    """Add up the steps of some kernels."""
    return sum(one.steps for one in kernels)


def _function(event: Any) -> Any:
    data: Any = event.data
    return data["dispatcher"].py_func


def _name(event: Any) -> str:
    return _function(event).__name__


def _is_own(event: Any) -> bool:
    """Tell the package's functions from those that numba compiles for them."""
    return _function(event).__module__.startswith(_OWN)

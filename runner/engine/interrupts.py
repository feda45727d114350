"""Ctrl-C, SIGTERM and SIGHUP that do not get lost."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from .switchboard import Switchboard

#: What ends a run with the best so far; Windows has no SIGHUP.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

# Who ends a process often says so twice: `timeout` signals the process and its group, a session's
# end brings SIGTERM and SIGHUP. Within so many seconds that is no second request.
_AT_ONCE = 0.1
_SESSION_ENDS = 0.5


class Interrupts:
    """While it is entered, Ctrl-C, SIGTERM and SIGHUP end a run with the best so far.

    Each is noted on the run's board beside being raised as KeyboardInterrupt,
    which Python raises wherever the main thread happens to be. In a destructor,
    or in a function that C code calls, it can only be printed and dropped; the
    run then finds the note after the unit in hand.

    A handler of the user's own stays as it is, an ignored signal stays ignored
    (SIGHUP under ``nohup``), and so does everything in a thread other than the
    main one, which no signal reaches. Where one is entered within another, the
    inner one has its turn, and leaves to the outer one what it has learned.

    Parameters
    ----------
    board
        Where the run looks; None where there is no run to end, but a program.
    """

    def __init__(self, board: Switchboard | None = None) -> None:
        self._board = Switchboard() if board is None else board
        self._is_program = board is None
        self._former: dict[int, Any] = {}
        self._outer: Interrupts | None = None
        self._came = -float("inf")
        self._had_terminal = False

    @property
    def number(self) -> int | None:
        """The signal that has come last; None for none."""
        return self._board.signal

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                present = signal.getsignal(number)
                owner = _owner(present)
                if owner is not None or present is _default(number):
                    self._outer = owner or self._outer
                    self._former[number] = signal.signal(number, self._note)
            self._had_terminal = _has_terminal()
            if self._outer is not None:
                self._take_up(self._outer)
        if self._is_program:
            self._board.interruptible = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        board = self._board
        board.interruptible = False
        self._put_back()
        if board.signal is None:
            return
        if self._outer is not None:
            self._hand_over(self._outer, at_once=isinstance(error, KeyboardInterrupt))
        elif self._is_program:
            # It ends with the exit status that tells of the signal.
            return
        elif not board.heeded:
            # It came when the run was over.
            signal.raise_signal(board.signal)
        elif isinstance(error, KeyboardInterrupt) and board.signal != signal.SIGINT:
            # The second one: what nobody has caught ends the process with its status.
            raise SystemExit(exit_status(board.signal)) from None

    def _put_back(self) -> None:
        for number, former in self._former.items():
            # Unless somebody else has taken it over in the meantime.
            if _owner(signal.getsignal(number)) is self:
                signal.signal(number, former)

    @contextmanager
    def _put_off(self) -> Iterator[None]:
        self._board.interruptible = False
        try:
            yield
        finally:
            self._board.interruptible = True
        self._raise_late()

    def _note(self, number: int, frame: FrameType | None) -> None:
        board, now = self._board, time.monotonic()
        first = not board.interrupted
        if not first and self._is_echo(number, now):
            return
        if first:
            self._came = now
        board.signal = number
        board.interrupted = True
        board.attention = True
        if board.interruptible or not first:
            raise KeyboardInterrupt

    def _is_echo(self, number: int, now: float) -> bool:
        """Tell whether a signal after the first one asks for nothing new."""
        gone = now - self._came
        # However soon the run has heeded the first: that may be between the two.
        if (not self._board.heeded or number == self._board.signal) and gone < _AT_ONCE:
            return True
        if signal.SIGINT not in (number, self._board.signal) and gone < _SESSION_ENDS:
            return True
        # A terminal that is closed sends SIGHUP, and so does the shell that was in it.
        hangup = number == getattr(signal, "SIGHUP", None)
        return hangup and self._had_terminal and not _has_terminal()

    def _take_up(self, outer: "Interrupts") -> None:
        """Learn of a signal that came while the outer one could do nothing about it."""
        self._had_terminal = self._had_terminal or outer._had_terminal
        if not outer._board.heeded:
            self._pass_on(outer, self)

    def _hand_over(self, outer: "Interrupts", at_once: bool) -> None:
        """Let the outer one know which signal came, and end in its turn.

        A program need not: the run that it was busy with has ended.
        """
        self._pass_on(self, outer)
        if outer._is_program or at_once:
            outer._board.heeded = self._board.heeded
        if outer._is_program:
            outer._raise_late()

    @staticmethod
    def _pass_on(giver: "Interrupts", taker: "Interrupts") -> None:
        if giver._board.interrupted:
            taker._came = giver._came
            taker._board.signal = giver._board.signal
            taker._board.interrupted = taker._board.attention = True

    def _raise_late(self) -> None:
        board = self._board
        if board.interrupted and not board.heeded and board.interruptible:
            raise KeyboardInterrupt


@contextmanager
def put_off() -> Iterator[None]:
    """Let a signal that ends the program wait until what is done within is done.

    The second one does not wait. It concerns the `Interrupts` of the program:
    a run within it is ended by its own.
    """
    program = next(iter(_owners()), None)
    if program is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    with program._put_off():
        yield


def exit_status(number: int | None) -> int:
    """Return the exit status of a program that a signal has ended; of Ctrl-C for None."""
    return 128 + (signal.SIGINT if number is None else number)


# A forked process has no run to end: it is to die of a signal as any other one does, also of one
# that it is sent before it can put the handlers back.
_forking = threading.local()


def _owners() -> list[Interrupts]:
    owners = (_owner(signal.getsignal(number)) for number in SIGNALS)
    return [owner for owner in owners if owner is not None]


def _before_fork() -> None:
    _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS) if _owners() else None


def _after_fork_in_child() -> None:
    while owners := _owners():
        for owner in owners:
            owner._put_back()
    _after_fork()


def _after_fork() -> None:
    if _forking.mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_child=_after_fork_in_child, after_in_parent=_after_fork
    )


def _default(number: int) -> Any:
    return signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL


def _owner(handler: Any) -> Interrupts | None:
    owner = getattr(handler, "__self__", None)
    return owner if isinstance(owner, Interrupts) else None


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | getattr(os, "O_NOCTTY", 0)))
    except OSError:
        return False
    return True

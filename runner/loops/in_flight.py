"""What makes a loop end before its iterator does."""

import dis
import gc
from types import FrameType, TracebackType


class UnknownError(Exception):
    """An exception that is there, but not to be had: Python 3.11 keeps it to itself."""

    def __init__(self, what: str = "the body of the loop raised an exception") -> None:
        super().__init__(what)


def error_in_flight(frame: FrameType | None) -> BaseException | None:
    """Return the exception that is on its way out of a frame; None where there is none.

    For an iterator that is dropped in the midst of its loop: by a ``break``, or by an
    exception in the loop's body, which Python tells no iterator of. Such an exception has
    a traceback already, that leads to the very instruction at which the frame stands.
    Before Python 3.12 the exception knows nothing of it yet, and an `UnknownError` stands
    for it.
    """
    if frame is None or _leaves_a_loop(frame):
        return None
    for traceback in gc.get_referrers(frame):
        if not isinstance(traceback, TracebackType) or traceback.tb_frame is not frame:
            continue
        if traceback.tb_lasti != frame.f_lasti:
            # Of one that was caught there before.
            continue
        owners = gc.get_referrers(traceback)
        known = next((one for one in owners if isinstance(one, BaseException)), None)
        if known is None and _opcode(frame) == "YIELD_VALUE":
            # A generator that is closed.
            return None
        return known or UnknownError()
    return None


def _leaves_a_loop(frame: FrameType) -> bool:
    """Tell whether the frame stands where ``break`` and ``return`` drop a loop's iterator."""
    return _opcode(frame) in ("POP_TOP", "POP_ITER", "END_FOR")


def _opcode(frame: FrameType) -> str | None:
    code, at = frame.f_code.co_code, frame.f_lasti
    return dis.opname[code[at]] if 0 <= at < len(code) else None

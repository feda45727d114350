"""What makes a loop end before its iterator does."""

import dis
import gc
from types import FrameType, TracebackType


def error_in_flight(frame: FrameType | None) -> BaseException | None:
    """Return the exception that is on its way out of a frame; None where there is none.

    For an iterator that is dropped in the midst of its loop: by a ``break``, or by an
    exception in the loop's body, which Python tells no iterator of. Such an exception has
    a traceback already, that leads to the very instruction at which the frame stands.
    """
    if frame is None or _leaves_a_loop(frame):
        return None
    for traceback in gc.get_referrers(frame):
        if not isinstance(traceback, TracebackType) or traceback.tb_frame is not frame:
            continue
        if traceback.tb_lasti != frame.f_lasti:
            # Of one that was caught there before.
            continue
        for error in gc.get_referrers(traceback):
            if isinstance(error, BaseException):
                return error
    return None


def _leaves_a_loop(frame: FrameType) -> bool:
    """Tell whether the frame stands where ``break`` and ``return`` drop a loop's iterator."""
    code = frame.f_code.co_code
    at = frame.f_lasti
    return 0 <= at < len(code) and dis.opname[code[at]] in ("POP_TOP", "POP_ITER", "END_FOR")

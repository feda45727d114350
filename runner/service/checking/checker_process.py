"""``python -m schoolbell.runner.service.checking.checker_process``: reads what strangers sent.

One line of JSON on its standard input asks for one check, one line on its
standard output answers. Each check has a process of its own under limits of
memory and time, so that a hostile file costs nothing but itself.
"""

import json
import os
import resource
import signal
import sys
import threading
from typing import Any, NoReturn

from ..jobs.fault import fault_of
from ..jobs.job_pipeline import make_pipeline, set_parameters

SECONDS = 20
"""Most seconds of a check, by the processor's time."""

WALL_SECONDS = 120
"""Most seconds of a check on a machine that others keep busy."""

MEMORY = 2 << 30
"""Most bytes of a check's data."""

_MOST_DETAILS = 500


def main() -> None:
    """Answer until the input ends."""
    # What a check needs is there before the first, and shared by all.
    from ....stages.timetable import Instance, Solution, evaluate  # noqa: F401

    make_pipeline(sys.argv[1], "UD2")
    lock = threading.Lock()
    for line in sys.stdin.buffer:
        ask = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            _check(ask, writer)
        os.close(writer)
        threading.Thread(target=_answer, args=(ask, pid, reader, lock), daemon=True).start()


def _answer(ask: dict[str, Any], pid: int, reader: int, lock: threading.Lock) -> None:
    with os.fdopen(reader, "rb") as file:
        found = file.read()
    _, status = os.waitpid(pid, 0)
    try:
        answer = json.loads(found)
    except ValueError:
        answer = {"fault": {"detail": _words_of_end(status)}}
    with lock:
        sys.stdout.write(json.dumps({"number": ask["number"], **answer}) + "\n")
        sys.stdout.flush()


def _words_of_end(status: int) -> str:
    too_long = (signal.SIGALRM, signal.SIGXCPU)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in too_long:
        return f"found a file that takes longer to read than {SECONDS} s, expected a simpler one"
    return "found a file that could not be read within the limits, expected a simpler one"


def _check(ask: dict[str, Any], writer: int) -> NoReturn:
    """Do one check, in a process of its own."""
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        # The system ends it, whatever it is busy with.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(WALL_SECONDS)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        try:
            answer = _checked(ask)
        except (Exception, MemoryError) as error:
            answer = {"fault": fault_of(error)}
        text = json.dumps(answer).encode()
        while text:
            text = text[os.write(writer, text) :]
    finally:
        os._exit(0)


def _refuse_university(path: str) -> None:
    """Refuse what the commands call a whole university, by their `problem_kind`: XML, or packed."""
    from ....stages.errors import FormatError

    with open(path, "rb") as file:  # noqa: PTH123
        start = file.read(512)
    if start[:2] == b"\x1f\x8b" or start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        expected = "one of a curriculum's timetable (.ctt, .ectt): universities are not solved yet"
        raise FormatError(path, None, "an instance of a whole university", expected)


def _checked(ask: dict[str, Any]) -> dict[str, Any]:
    from ....stages.timetable import Formulation, Instance, Solution, evaluate
    from ....stages.timetable.model.limits import check_timeslots

    _refuse_university(ask["instance"])
    instance = Instance.read(ask["instance"])
    lectures = instance.n_lectures
    if lectures > ask["max_lectures"]:
        raise ValueError(
            f"found {lectures:,} lectures, expected at most {ask['max_lectures']:,} at this service"
        )
    formulation = Formulation.of(ask["formulation"])
    if ask.get("solution") is None:
        check_timeslots(instance)
        set_parameters(make_pipeline(sys.argv[1], formulation.name), ask["parameters"])
        return {"name": instance.name, "lectures": lectures, "text": instance.dumps()}
    evaluation = evaluate(Solution.read(ask["solution"], instance), formulation)
    return {
        "instance": instance.name,
        "formulation": formulation.name,
        "feasible": evaluation.feasible,
        "violations": evaluation.violations,
        "cost": evaluation.cost,
        "hard": dict(evaluation.hard),
        "soft": dict(evaluation.soft),
        "details": evaluation.details(_MOST_DETAILS),
        "details_total": evaluation.n_details,
    }


if __name__ == "__main__":
    main()

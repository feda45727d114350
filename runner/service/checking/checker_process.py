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
from typing import Any, NoReturn, get_args

from ...problems.choosing import problem_of
from ...problems.problem_kind import Kind, problem_kind
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
    for kind in get_args(Kind):
        problem = problem_of(kind)
        _ = problem.instance_type, problem.solution_type
        make_pipeline(json.loads(sys.argv[1]), problem)
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


def _checked(ask: dict[str, Any]) -> dict[str, Any]:
    problem = problem_of(problem_kind(ask["instance"]), ask["formulation"])
    instance = problem.read(ask["instance"])
    found = problem.count(instance)
    if found > ask["max_lectures"]:
        most = f"at most {ask['max_lectures']:,} at this service"
        raise ValueError(f"found {found:,} {problem.items}, expected {most}")
    if ask.get("solution") is None:
        problem.check_instance(instance)
        pipeline = make_pipeline(json.loads(sys.argv[1]), problem)
        set_parameters(pipeline, ask["parameters"])
        return {
            "kind": problem.kind,
            "name": instance.name,
            "text": problem.kept_text(instance),
        }
    evaluation = problem.evaluate(problem.read_solution(ask["solution"], instance))
    return {
        "kind": problem.kind,
        "instance": instance.name,
        "feasible": evaluation.feasible,
        **problem.findings(evaluation, _MOST_DETAILS),
    }


if __name__ == "__main__":
    main()

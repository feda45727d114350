"""Has files read in a process that may come to harm."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

from ...problems.problem_kind import is_packed, kind_of_data

PROCESS = "schoolbell.runner.service.checking.checker_process"
_WAIT_SECONDS = 150.0
_GONE = {"fault": {"detail": "the file could not be read within the limits"}}


class CheckError(ValueError):
    """What was sent is wrong.

    Attributes
    ----------
    fault
        What is wrong, as `fault_of` tells it.
    """

    def __init__(self, fault: dict[str, Any]) -> None:
        super().__init__(fault)
        self.fault = fault

    def __str__(self) -> str:
        return self.fault["detail"]


class Checker:
    """Has instances and timetables read in a process under limits; from any thread.

    The process starts with the first file, and again should it have ended.

    Parameters
    ----------
    makers
        ``"MODULE:FUNCTION"`` that makes the pipeline of jobs, for each kind of problem.
    max_lectures
        Most lectures of an instance, or classes of a university.
    """

    def __init__(self, makers: Mapping[str, str], max_lectures: int) -> None:
        self._makers = json.dumps(dict(makers))
        self._max_lectures = max_lectures
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}

    def check(
        self,
        instance: bytes,
        formulation: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        solution: bytes | None = None,
    ) -> dict[str, Any]:
        """Read an instance, and a timetable of it if there is one.

        Parameters
        ----------
        instance, solution
            The files' contents.
        formulation
            Whose constraints count.
        parameters
            Of the stages of a job.

        Returns
        -------
        dict
            ``kind`` and ``name`` of the instance, and its ``text`` in the form in
            which it is to be kept, None for as it came; with a timetable what it costs.

        Raises
        ------
        CheckError
            If something is wrong with them.
        TimeoutError
            If the machine is too busy.
        """
        with tempfile.TemporaryDirectory(prefix="schoolbell-check-") as folder:
            path = _written(folder, "instance", instance, ".ectt")
            ask = {
                "instance": str(path),
                "formulation": formulation,
                "max_lectures": self._max_lectures,
                "parameters": dict(parameters or {}),
            }
            if solution is not None:
                ask["solution"] = str(_written(folder, "solution", solution, ".sol"))
            answer = self._ask(ask).result(_WAIT_SECONDS)
        if "fault" in answer:
            raise CheckError(answer["fault"])
        return answer

    def start(self) -> None:
        """Start the process, so that the first file need not wait for it."""
        with self._lock:
            self._running()

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
            process.terminate()
            process.wait()

    def _ask(self, ask: dict[str, Any]) -> Future[dict[str, Any]]:
        future: Future[dict[str, Any]] = Future()
        with self._lock:
            process = self._running()
            number = next(self._numbers)
            self._waiting[number] = future
            assert process.stdin is not None
            try:
                process.stdin.write((json.dumps({**ask, "number": number}) + "\n").encode())
                process.stdin.flush()
            except OSError:
                self._waiting.pop(number).set_result(_GONE)
        return future

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", PROCESS, self._makers],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                # Ctrl-C is for the service, which ends it.
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
            arguments = (self._process,)
            threading.Thread(target=self._listen, args=arguments, daemon=True).start()
        return self._process

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            answer = json.loads(line)
            with self._lock:
                future = self._waiting.pop(answer.pop("number"), None)
            if future is not None:
                future.set_result(answer)
        with self._lock:
            if self._process in (process, None):
                for future in self._waiting.values():
                    future.set_result(_GONE)
                self._waiting.clear()


def _written(folder: str, name: str, data: bytes, suffix: str) -> Path:
    """Write what was sent under a name that tells what it is, as messages about it do."""
    if kind_of_data(data) == "university":
        suffix = ".xml.gz" if is_packed(data) else ".xml"
    path = Path(folder) / f"{name}{suffix}"
    path.write_bytes(data)
    return path

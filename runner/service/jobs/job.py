"""One job, as the shared folder knows it."""

import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from ....stages.files.atomic import write_atomically
from ...problems.choosing import problem_of
from ...problems.problem_kind import Kind
from ...problems.solved_problem import SolvedProblem
from .job_files import FILES, files_of
from .job_request import JobRequest

ABOUT, FINDINGS, RESULT, ATTEMPTS, STOP, REMOVE = (
    "job.json",
    "findings.json",
    "result.json",
    "attempts.json",
    "stop.json",
    "remove",
)


class Job:
    """One job: a folder that outlives every process and every Redis server.

    A job ends once: its result is a file that is made whole, and by one process alone.

    Parameters
    ----------
    folder
        The job's folder; its name is the job's id.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name
        self._result: dict[str, Any] | None = None

    @cached_property
    def about(self) -> dict[str, Any]:
        """What was told when it was made: owner, moment and request."""
        return _read(self.folder / ABOUT) or {}

    @property
    def owner(self) -> str:
        """Whose job it is."""
        return str(self.about.get("owner", ""))

    @property
    def request(self) -> JobRequest:
        """What was asked for."""
        return JobRequest.of(self.about)

    @property
    def kind(self) -> Kind:
        """Of its problem."""
        return self.about.get("kind", "timetable")

    @property
    def formulation(self) -> str | None:
        """The constraints that count, by name; None where the instance says so itself."""
        return self.about.get("formulation") if self.kind == "timetable" else None

    @property
    def problem(self) -> SolvedProblem:
        """What is solved, under the constraints that were asked for."""
        return problem_of(self.kind, self.request.formulation)

    @property
    def instance(self) -> Path:
        """The instance's file."""
        return self.path("instance")

    @property
    def findings(self) -> Path:
        """The file of what the newest best solution costs, in words."""
        return self.folder / FINDINGS

    @property
    def backup(self) -> Path:
        """The folder of its backup."""
        return self.folder / "backup"

    def path(self, name: str) -> Path:
        """Return where one of its `FILES` is, or will be."""
        return self.folder / files_of(self.kind)[name][0]

    def files(self) -> list[str]:
        """Return the names of the files that are there."""
        return [name for name in FILES if self.path(name).is_file()]

    @property
    def result(self) -> dict[str, Any] | None:
        """How it ended; None while it has not."""
        if self._result is None:
            self._result = _read(self.folder / RESULT)
        return self._result

    def finish(self, result: Mapping[str, Any]) -> bool:
        """Say how it ended.

        Returns
        -------
        bool
            False where somebody has said so before; then that counts.
        """
        text = json.dumps({**result, "ended_at": time.time()}, indent=1)
        beside = self.folder / f".{RESULT}.{secrets.token_hex(4)}.part"
        write_atomically(beside, text)
        try:
            # A link never replaces what is there.
            os.link(beside, self.folder / RESULT)
        except FileExistsError:
            return False
        except FileNotFoundError:
            # Removed meanwhile.
            return False
        finally:
            beside.unlink(missing_ok=True)
        shutil.rmtree(self.backup, ignore_errors=True)
        return True

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """When a process began to work on it, and how each that could tell has ended."""
        found = _read(self.folder / ATTEMPTS)
        return found["attempts"] if found else []

    @property
    def lost_attempts(self) -> int:
        """How many processes have ended without a word."""
        return sum(one.get("ended") is None for one in self.attempts)

    def begin_attempt(self) -> int:
        """Note that this process works on it; return the attempt's number from 1."""
        attempt = {"began": time.time(), "host": socket.gethostname(), "pid": os.getpid()}
        attempts = [*self.attempts, attempt]
        self._write(ATTEMPTS, {"attempts": attempts})
        return len(attempts)

    def end_attempt(self, how: str) -> None:
        """Note how this process's work on it ended."""
        attempts = self.attempts
        attempts[-1] |= {"ended": how, "at": time.time()}
        self._write(ATTEMPTS, {"attempts": attempts})

    @property
    def stop_asked(self) -> float | None:
        """When somebody asked it to stop, in seconds since 1970; None for never."""
        found = _read(self.folder / STOP)
        return None if found is None else float(found["at"])

    def ask_stop(self, why: str = "stopped by a command") -> None:
        """Remember that somebody wants it to stop, and why, for a process that does not."""
        if not (self.folder / STOP).exists():
            self._write(STOP, {"at": time.time(), "why": why})

    @property
    def stop_why(self) -> str:
        """Why it is to stop."""
        return str((_read(self.folder / STOP) or {}).get("why", "stopped by a command"))

    @property
    def unwanted(self) -> bool:
        """Whether it is to be removed as soon as it has ended."""
        return (self.folder / REMOVE).exists()

    def disown(self) -> None:
        """Have it removed as soon as it has ended."""
        self._write(REMOVE, {"at": time.time()})

    def remove(self) -> None:
        """Remove it with all its files."""
        # Under a name that nobody lists, so that nobody sees half of it.
        away = self.folder.with_name(f".removed-{self.id}")
        with suppress(OSError):
            self.folder.rename(away)
        shutil.rmtree(away, ignore_errors=True)

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        with suppress(FileNotFoundError):
            write_atomically(self.folder / name, json.dumps(value))


def _read(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None

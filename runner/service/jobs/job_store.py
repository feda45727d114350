"""All jobs, in a folder that every machine of a service shares."""

import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from ....stages.files.atomic import write_atomically, write_bytes_atomically
from ...problems.problem_kind import Kind
from .job import ABOUT, Job
from .job_files import files_of
from .job_request import JobRequest

# Nobody is still at a job that was half made so long ago.
_HALF_SECONDS = 3_600.0
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{12}")


class KeyReusedError(ValueError):
    """An idempotency key came again with another request."""


class JobStore:
    """All jobs, in a folder that every machine of a service shares.

    Parameters
    ----------
    folder
        It is made if it is missing, for its owner alone.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._jobs = folder / "jobs"
        self._keys = folder / "keys"
        for one in (folder, self._jobs, self._keys):
            one.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What jobs have said of themselves never changes, so it is read once.
        self._known: dict[str, Job] = {}

    def add(
        self,
        request: JobRequest,
        instance: bytes,
        owner: str,
        key: str | None = None,
        kind: Kind = "timetable",
    ) -> tuple[Job, bool]:
        """Keep a new job.

        Parameters
        ----------
        request, instance
            What is asked for.
        owner
            Whose it is.
        key
            Idempotency key: the same one of the same owner gives the same job.
        kind
            Of the problem.

        Returns
        -------
        Job
            The new one, or that which the key has given before.
        bool
            Whether it is new.

        Raises
        ------
        KeyReusedError
            If the key came before with another request.
        """
        identity = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(6)}"
        if key is not None:
            identity = self._keyed(identity, owner, key, request.digest(instance))
            known = self.get(identity)
            if known is not None:
                return known, False
        beside = self._jobs / f".new-{identity}-{secrets.token_hex(4)}"
        beside.mkdir(mode=0o700)
        about = {**asdict(request), "kind": kind, "owner": owner, "created_at": time.time()}
        write_bytes_atomically(beside / files_of(kind)["instance"][0], instance)
        write_atomically(beside / ABOUT, json.dumps(about, indent=1, default=dict))
        try:
            beside.rename(self._jobs / identity)
        except OSError:
            # Two requests with one key at one time.
            Job(beside).remove()
            return Job(self._jobs / identity), False
        return Job(self._jobs / identity), True

    def keyed(self, owner: str, key: str) -> Job | None:
        """Return the job that an idempotency key has given; None for a new key."""
        name = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()
        try:
            return self.get(json.loads((self._keys / name).read_text(encoding="utf-8"))["job"])
        except FileNotFoundError:
            return None

    def _keyed(self, identity: str, owner: str, key: str, digest: str) -> str:
        """Return the id of the job that a key stands for, at first the one that is given."""
        name = hashlib.sha256(f"{owner}\0{key}".encode()).hexdigest()
        path = self._keys / name
        beside = self._keys / f".{name}.{secrets.token_hex(4)}.part"
        write_atomically(beside, json.dumps({"job": identity, "request": digest}))
        try:
            os.link(beside, path)
        except FileExistsError:
            known = json.loads(path.read_text(encoding="utf-8"))
            if known["request"] != digest:
                raise KeyReusedError(
                    "found an idempotency key that stands for another request, expected a new one"
                ) from None
            return known["job"]
        finally:
            beside.unlink(missing_ok=True)
        return identity

    def get(self, identity: str) -> Job | None:
        """Return a job; None if there is none of this id."""
        if not _ID.fullmatch(identity):
            return None
        job = self._known.get(identity) or Job(self._jobs / identity)
        if not (job.folder / ABOUT).is_file():
            self._known.pop(identity, None)
            return None
        return self._known.setdefault(identity, job)

    def ids(self) -> list[str]:
        """Return the ids of all jobs, the newest first."""
        found = {path.name for path in self._jobs.iterdir() if _ID.fullmatch(path.name)}
        for gone in self._known.keys() - found:
            self._known.pop(gone, None)
        return sorted(found, reverse=True)

    def jobs(self) -> Iterator[Job]:
        """Yield all jobs, the newest first."""
        for identity in self.ids():
            job = self.get(identity)
            if job is not None:
                yield job

    def remove_old(self, seconds: float) -> list[str]:
        """Remove the jobs that ended so many seconds ago, and the keys that are as old."""
        before, removed = time.time() - seconds, []
        for job in self.jobs():
            result = job.result
            if result is not None and (job.unwanted or result.get("ended_at", 0) < before):
                job.remove()
                removed.append(job.id)
        for path in self._keys.iterdir():
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
        self._remove_halves()
        return removed

    def _remove_halves(self) -> None:
        """Remove what processes have left that were killed as they made or removed a job."""
        before = time.time() - _HALF_SECONDS
        for path in self._jobs.glob(".*"):
            with suppress(OSError):
                if path.stat().st_mtime < before:
                    shutil.rmtree(path)

"""Asks a service from a program."""

import asyncio
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Self

from ....stages.files.atomic import write_bytes_atomically
from ....stages.needing import needing
from ...watching.watched_snapshot import WatchedSnapshot
from ..jobs.job_files import files_of
from .event_reader import EventReader
from .service_error import ServiceError
from .service_job import ServiceJob

with needing("a client of the service", "service"):
    import httpx


DEFAULT_URL = "http://127.0.0.1:8000"
URL_VARIABLE, TOKEN_VARIABLE = "SCHOOLBELL_URL", "SCHOOLBELL_TOKEN"

_TIMEOUT = 30.0
# A service on a busy machine takes its time to read a file, and says so after 150 s.
_READING_SECONDS = 180.0
_PATIENCE = 60.0
# Between two tries of a service that is away.
_AGAIN_SECONDS = 0.5
# A stream says something every 15 s, if only that it is there.
_SILENCE_SECONDS = 40.0
_FETCHED = ("solution", "page", "table", "log", "run.json")


class Client:
    """Asks a service to start jobs, to tell of them, to steer them and for their files.

    Parameters
    ----------
    url
        Where the service is; by default the environment's ``SCHOOLBELL_URL``, else
        ``http://127.0.0.1:8000``.
    token
        Whose jobs they are; by default the environment's ``SCHOOLBELL_TOKEN``.
    timeout
        Seconds for an answer.

    Raises
    ------
    ServiceError
        Here for a text that is no URL; in every method when the service refuses
        what it is asked, or cannot be reached.

    Examples
    --------
    With a service at its default place::

        with Client() as client:
            job = client.submit("comp01.ctt", time_limit=60)
            for snapshot in client.watch(job.id):
                print(f"{snapshot.progress:.1%} {snapshot.message}")
            client.fetch(job.id, "results")
    """

    __module__ = "schoolbell.runner.service"

    def __init__(
        self, url: str | None = None, token: str | None = None, *, timeout: float = _TIMEOUT
    ) -> None:
        url = url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
        token = token or os.environ.get(TOKEN_VARIABLE)
        self._headers = {"User-Agent": "schoolbell"}
        if token:
            if not token.isascii() or not token.isprintable():
                # Without the token in the message.
                raise ServiceError("token must be printable letters, digits and signs")
            self._headers["Authorization"] = f"Bearer {token}"
        try:
            parts = httpx.URL(url)
        except httpx.InvalidURL:
            parts = None
        if parts is None or parts.scheme not in ("http", "https") or not parts.host:
            raise ServiceError("url must be that of a service, as in http://127.0.0.1:8000")
        #: Where the service is, without user and password.
        self.url = str(parts.copy_with(username=None, password=None)).rstrip("/")
        self._base = str(parts).rstrip("/") + "/"
        self._timeout = timeout
        self._reading = max(timeout, _READING_SECONDS)
        self._options: dict[str, Any] = {
            "base_url": self._base,
            "headers": self._headers,
            "verify": _authorities(),
        }
        self._http = httpx.Client(timeout=timeout, **self._options)

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(
        self,
        instance: Any,
        *,
        formulation: str = "UD2",
        seed: int = 0,
        time_limit: float | None = None,
        parameters: Mapping[str, Any] | None = None,
        name: str = "",
        key: str | None = None,
    ) -> ServiceJob:
        """Start a job.

        Parameters
        ----------
        instance
            The path of a file, or an `Instance`; of a curriculum's timetable or of a university.
        formulation, seed, time_limit
            As for `fit`.
        parameters
            Of the stages, as ``{"ga.population": 8}``.
        name
            What to call it.
        key
            Idempotency key: the same request with the same key starts one job
            only, so that it can be repeated when the answer did not arrive.
        """
        text = instance.dumps().encode() if hasattr(instance, "dumps") else _read(instance)
        values = {
            "formulation": formulation,
            "seed": str(seed),
            "name": name,
            "parameters": json.dumps(dict(parameters or {})),
            "time_limit": "" if time_limit is None else repr(float(time_limit)),
        }
        headers = {} if key is None else {"Idempotency-Key": key}
        files = {"instance": ("instance", text)}
        options: dict[str, Any] = {"data": values, "files": files, "headers": headers}
        return self._job(self._ask("POST", "v1/jobs", timeout=self._reading, **options))

    def jobs(self, *status: str) -> Iterator[ServiceJob]:
        """Yield the jobs, the newest first; only those of some statuses, if any are given."""
        before: dict[str, str] = {}
        while True:
            query = {"status": list(status), **before} if status else before
            page = self._ask("GET", "v1/jobs", params=query).json()
            yield from map(ServiceJob.of, page["jobs"])
            if page["next"] is None:
                return
            before = {"before": page["next"]}

    def job(self, job_id: str) -> ServiceJob:
        """Return a job as it is now."""
        return self._job(self._ask("GET", _path(job_id)))

    def watch(
        self, job_id: str, last_id: str | None = None, *, patience: float = _PATIENCE
    ) -> Iterator[WatchedSnapshot]:
        """Yield where a job stands, until it has ended; the last snapshot has an ``outcome``.

        Parameters
        ----------
        job_id
            The job.
        last_id
            Go on after this snapshot's ``id`` instead of beginning with the newest.
        patience
            Seconds that the service may be away.
        """
        reader = EventReader(last_id)
        lonely: float | None = None
        timeout = httpx.Timeout(self._timeout, read=_SILENCE_SECONDS)
        while not reader.over:
            try:
                stream = self._http.stream(
                    "GET", _path(job_id, "events"), headers=reader.connect(), timeout=timeout
                )
                with stream as response:
                    if response.is_error:
                        response.read()
                    _check(response)
                    for line in response.iter_lines():
                        lonely = None
                        found = reader.feed(line)
                        if found is not None:
                            yield found
            except (httpx.TransportError, ServiceError) as error:
                lonely = self._lonely(error, lonely, patience)
            if not reader.over:
                time.sleep(_AGAIN_SECONDS)

    async def awatch(
        self, job_id: str, last_id: str | None = None, *, patience: float = _PATIENCE
    ) -> AsyncIterator[WatchedSnapshot]:
        """Yield where a job stands, in asyncio; otherwise as `watch`."""
        reader = EventReader(last_id)
        lonely: float | None = None
        timeout = httpx.Timeout(self._timeout, read=_SILENCE_SECONDS)
        async with httpx.AsyncClient(timeout=timeout, **self._options) as http:
            while not reader.over:
                try:
                    path = _path(job_id, "events")
                    async with http.stream("GET", path, headers=reader.connect()) as response:
                        if response.is_error:
                            await response.aread()
                        _check(response)
                        async for line in response.aiter_lines():
                            lonely = None
                            found = reader.feed(line)
                            if found is not None:
                                yield found
                except (httpx.TransportError, ServiceError) as error:
                    lonely = self._lonely(error, lonely, patience)
                if not reader.over:
                    await asyncio.sleep(_AGAIN_SECONDS)

    def _lonely(self, error: Exception, since: float | None, patience: float) -> float:
        """Return since when the service is away; raise where that is too long, or no reason."""
        if isinstance(error, ServiceError) and (error.status or 500) < 500:
            raise error
        now = time.monotonic()
        since = now if since is None else since
        if now - since > patience:
            raise self._away(error) from None
        return since

    def stop(self, job_id: str) -> ServiceJob:
        """Ask a job to end with the best so far."""
        return self._steer(job_id, "stop")

    def skip_stage(self, job_id: str) -> ServiceJob:
        """Ask a job to go on with its next stage."""
        return self._steer(job_id, "skip-stage")

    def pause(self, job_id: str) -> ServiceJob:
        """Ask a job to halt, with its clock."""
        return self._steer(job_id, "pause")

    def resume(self, job_id: str) -> ServiceJob:
        """Ask a job that is paused to go on."""
        return self._steer(job_id, "resume")

    def _steer(self, job_id: str, command: str) -> ServiceJob:
        return self._job(self._ask("POST", _path(job_id, command)))

    def delete(self, job_id: str) -> None:
        """End a job and have it removed with its files."""
        self._ask("DELETE", _path(job_id))

    def fetch(self, job_id: str, out: str | os.PathLike[str]) -> list[Path]:
        """Fetch the files of a job that are there.

        Parameters
        ----------
        job_id
            The job.
        out
            Folder for them; it is made if it is missing.

        Returns
        -------
        list of Path
            What was written.
        """
        folder, written = Path(out), []
        folder.mkdir(parents=True, exist_ok=True)
        job = self.job(job_id)
        files = files_of(job.kind)
        for name in _FETCHED:
            if name in job.files:
                path = folder / files[name][0]
                write_bytes_atomically(path, self.read(job_id, name))
                written.append(path)
        return written

    def read(self, job_id: str, name: str) -> bytes:
        """Return one file of a job: ``solution``, ``page``, ``table``, ``log`` or ``run.json``."""
        return self._ask("GET", _path(job_id, f"files/{name}")).content

    def violations(self, job_id: str) -> dict[str, Any]:
        """Return the violations and costs of a job's newest best timetable, in words too."""
        return self._ask("GET", _path(job_id, "violations")).json()

    def validate(self, instance: Any, solution: Any, formulation: str = "UD2") -> dict[str, Any]:
        """Count the violations and the cost of a timetable; paths of files, or objects."""
        files = {
            name: (name, one.dumps().encode() if hasattr(one, "dumps") else _read(one))
            for name, one in (("instance", instance), ("solution", solution))
        }
        data = {"formulation": formulation}
        options: dict[str, Any] = {"data": data, "files": files, "timeout": self._reading}
        return self._ask("POST", "v1/validate", **options).json()

    def demo(
        self, courses: int = 80, seed: int = 2007, *, kind: str = "timetable", classes: int = 100
    ) -> str:
        """Return the text of a generated instance.

        Parameters
        ----------
        courses
            Of a curriculum's timetable.
        seed
            The same seed gives the same text.
        kind
            ``"timetable"``, or ``"university"`` for one of so many `classes`.
        classes
            Of a university.
        """
        size = {"courses": courses} if kind == "timetable" else {"classes": classes}
        return self._ask("GET", "v1/demo", params={"kind": kind, "seed": seed, **size}).text

    def new_link(self) -> str:
        """Return the address that opens the service's page in one browser, once."""
        return f"{self.url}/{self._ask('POST', 'v1/links').json()['link']}"

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._away(error) from None
        _check(response)
        return response

    def _away(self, error: Exception) -> ServiceError:
        if isinstance(error, ServiceError):
            return error
        reason = str(error) or type(error).__name__
        return ServiceError(
            f"cannot reach a service at {self.url}: {reason}; is `schoolbell serve` running there?"
        )

    @staticmethod
    def _job(response: httpx.Response) -> ServiceJob:
        return ServiceJob.of(response.json())


@cache
def _authorities() -> ssl.SSLContext:
    """Return whose certificates are believed.

    To read them takes long enough to halt an event loop with many watchers, each time.
    """
    return httpx.create_ssl_context()


def _path(job_id: str, more: str = "") -> str:
    safe = "".join(one for one in job_id if one.isalnum() or one in "-_.")
    if safe != job_id or not safe.strip("."):
        raise ServiceError(f"there is no job {job_id!r}", 404)
    return f"v1/jobs/{job_id}/{more}" if more else f"v1/jobs/{job_id}"


def _check(response: httpx.Response) -> None:
    if response.is_success:
        return
    try:
        problem = response.json()
        words = problem["detail"]
    except (ValueError, KeyError, TypeError):
        problem, words = {}, f"the service answers {response.status_code} {response.reason_phrase}"
    raise ServiceError(words, response.status_code, problem)


def _read(path: Any) -> bytes:
    return Path(path).read_bytes()

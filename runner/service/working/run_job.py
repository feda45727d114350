"""What the process of a job does: one run, and its result."""

import os
import resource
import signal
from contextlib import suppress
from typing import Any

from ....callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    RedisLogger,
    RedisUnavailableError,
    SolutionCheckpoint,
    Timer,
)
from ....callbacks.parameters import without_secrets
from ....callbacks.remote.redis_connection import connect
from ....callbacks.vocabulary import CANCELLED, COMMAND, FAILED, FINISHED, RUNNING, STOPPED
from ...backups.backup_error import BackupError
from ..jobs.fault import fault_of
from ..jobs.job import Job
from ..jobs.job_pipeline import make_pipeline, set_parameters
from ..jobs.job_state import newest_snapshot
from ..jobs.job_store import JobStore
from ..jobs.lease import Lease
from ..jobs.results import failed_result, lost_result, stopped_result
from ..settings import Settings
from .file_lock import FileLock
from .job_worker import TOKEN_VARIABLE
from .keeping import Keeping
from .live_files import LiveFiles, write_timetable

# Data of a job stay in Redis for so long after it; its folder has them anyway.
_TTL = 7 * 86_400
_MOST_LETTERS = 1_000


def run_job(job_id: str) -> str:
    """Work on a job in this process until it ends, or is to go on in another one.

    Parameters
    ----------
    job_id
        The job.

    Returns
    -------
    str
        How that ended, for RQ's memory.

    Raises
    ------
    RedisUnavailableError
        If the server has gone: the job is to be tried again.
    """
    settings = Settings.from_environment()
    job = JobStore(settings.folder).get(job_id)
    if job is None:
        return "there is no such job"
    run = _JobRun(settings, job)
    # Before all that takes long to import, since the lease is to be renewed.
    run.keeping.start()
    try:
        return run.execute() if run.lock.take() else "another process has it"
    finally:
        run.keeping.stop()
        run.keeping.release()


class _JobRun:
    """One attempt at a job."""

    def __init__(self, settings: Settings, job: Job) -> None:
        self._settings = settings
        self._job = job
        self._pipeline: Any = None
        self._leaving = False
        lease = Lease(connect(settings.redis), settings.prefix, job.id, os.environ[TOKEN_VARIABLE])
        self.lock = FileLock(job.folder / "lock")
        self.keeping = Keeping(lease, self.leave, self._look)
        signal.signal(signal.SIGTERM, lambda *_: self.leave())

    def leave(self) -> None:
        """Save the run and end this process without a result; another one goes on with it."""
        self._leaving = True
        if self._pipeline is not None:
            self._pipeline.stop(by=CANCELLED)

    def _look(self) -> None:
        self.lock.say_alive()
        if self._is_overdue() and self._job.stop_asked is None:
            # Its timer has asked it to end, and it does not: it will be killed after the grace.
            most = f"{self._settings.max_seconds:g} s"
            self._job.ask_stop(f"stopped since it took longer than {most}, the service's limit")
        # What was asked of a run that had not begun to listen.
        if self._pipeline is not None and self._job.stop_asked is not None:
            self._pipeline.stop(by=COMMAND)

    def _is_overdue(self) -> bool:
        if self._pipeline is None:
            return False
        with suppress(RuntimeError):
            # Pauses aside.
            elapsed = self._pipeline.tracker.snapshot().elapsed
            return elapsed > self._settings.max_seconds + self._settings.grace
        return False

    def execute(self) -> str:
        job, settings = self._job, self._settings
        if job.result is not None:
            return "it has ended before"
        if job.stop_asked is not None:
            return self._finish(stopped_result(settings, job))
        if job.lost_attempts > settings.retries:
            return self._finish(lost_result(settings, job))
        attempt = job.begin_attempt()
        _limit_memory(settings.max_memory)
        try:
            result = self._result(attempt)
        except RedisUnavailableError:
            job.end_attempt("no server")
            raise
        except Exception as error:
            # What comes after the run failed; another attempt would fail as well.
            result = failed_result(error)
        if result is None or (self._leaving and result["status"] == STOPPED):
            job.end_attempt("saved")
            return "it goes on elsewhere"
        job.end_attempt(result["status"])
        return self._finish(result)

    def _finish(self, result: dict[str, Any]) -> str:
        # Of two processes that have come so far, on a disk without locks, the first counts.
        return result["status"] if self._job.finish(result) else "it has ended before"

    def _result(self, attempt: int) -> dict[str, Any] | None:
        """Run it; return how it ended, or None where it was left."""
        job, request = self._job, self._job.request
        try:
            pipeline = make_pipeline(self._settings.makers, job.problem)
            set_parameters(pipeline, request.parameters)
        except (Exception, MemoryError) as error:
            return failed_result(error)
        self._pipeline = pipeline
        if self._leaving:
            return None
        run, failure = self._fit(pipeline)
        if failure is not None and _cause(failure, BackupError) is not None:
            # It began anew rather than never.
            with suppress(OSError):
                (job.backup / "backup.npz").unlink()
            run, failure = self._fit(pipeline)
        if failure is not None and (away := _cause(failure, RedisUnavailableError)) is not None:
            raise away
        if run is None or run.status == RUNNING:
            assert failure is not None
            return failed_result(failure)
        if self._leaving and run.stopped_by == CANCELLED:
            return None
        self._complete_files(run)
        why = without_secrets(run.outcome)
        if failure is not None and (scarce := _cause(failure, MemoryError)) is not None:
            why = fault_of(scarce)["detail"]
        return {
            "status": run.status if run.status in (FINISHED, STOPPED) else FAILED,
            "why": why[:_MOST_LETTERS],
            "cost": run.cost,
            "violations": run.violations,
            "seconds": run.seconds,
            "attempt": attempt,
            "snapshot": newest_snapshot(self._settings, job.id),
        }

    def _fit(self, pipeline: Any) -> tuple[Any, Exception | None]:
        request, job = self._job.request, self._job
        try:
            run = pipeline.fit(
                job.instance,
                callbacks=self._callbacks(),
                seed=request.seed,
                time_limit=request.time_limit,
                verbose=False,
                job_id=job.id,
            )
        except Exception as error:
            return pipeline.run, error
        return run, None

    def _callbacks(self) -> list[Callback]:
        from ...config.config_file import ConfigFile

        job, settings = self._job, self._settings
        logger = RedisLogger(
            settings.redis, job_id=job.id, ttl=_TTL, prefix=settings.prefix, announce=False
        )
        logger.check()
        about = {"instance": job.instance.name}
        if job.formulation is not None:
            about["formulation"] = job.formulation
        return [
            logger,
            ConfigFile(job.path("run.json"), about),
            CSVLogger(job.path("log")),
            SolutionCheckpoint(job.path("solution")),
            LiveFiles(job, job.problem),
            BackupAndRestore(job.backup, interval=settings.backup_seconds, delete_checkpoint=False),
            Timer(settings.max_seconds),
        ]

    def _complete_files(self, run: Any) -> None:
        """Write the files of the best timetable, whatever the callbacks have come to."""
        if run.solution is None:
            return
        with suppress(OSError):
            run.solution.write(self._job.path("solution"))
            write_timetable(self._job, self._job.problem, run.solution, run.infeasible_because)


def _cause(error: BaseException, kind: type[Exception]) -> Exception | None:
    """Return the error of a kind that another one is, or was raised for."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, kind):
        found = found.__cause__
    return found


def _limit_memory(most: int) -> None:
    if most:
        # Of data: what is only mapped, as the libraries of compilers are, counts not.
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))

"""The worker of a service: RQ's, with a spawned process for each job."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from redis import RedisError
from rq.serializers import JSONSerializer
from rq.worker import SpawnWorker

from ..jobs.job_queue import new_queue, rq_connection
from ..jobs.lease import Lease
from ..settings import Settings

if TYPE_CHECKING:
    from rq import Queue
    from rq.executions import Execution
    from rq.job import Job

PROCESS = "schoolbell.runner.service.working.job_process"
TOKEN_VARIABLE = "SCHOOLBELL_LEASE"
EXECUTION_VARIABLE, WORKER_VARIABLE, JOB_VARIABLE = "RQ_EXECUTION_ID", "RQ_WORKER_ID", "RQ_JOB_ID"

# Answers that RQ waits for longest: those of the queue, for half a minute.
_WORKER_TTL = 30
_MONITORING_SECONDS = 5
# So long a job's process may take to begin on a busy machine; then it renews the lease itself.
_STARTING_SECONDS = 120.0
# A job that is asked to save itself gets so long.
_FAREWELL_SECONDS = 2.0


class JobWorker(SpawnWorker):
    """Takes jobs from the queue, one after another, and starts a process for each.

    Other than RQ's own it holds a lease on a job before a process begins, it
    starts that process without showing the server's password to others on the
    machine and without unpickling anything, and it asks a job to save itself
    when it is to end.
    """

    settings: Settings
    _lease: Lease | None = None
    _starting_until = 0.0

    @classmethod
    def of(cls, settings: Settings) -> "JobWorker":
        """Make a worker of a service."""
        connection = rq_connection(settings.redis)
        worker = cls(
            [new_queue(settings, connection)],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=_WORKER_TTL,
            job_monitoring_interval=_MONITORING_SECONDS,
            log_job_description=False,
        )
        worker.settings = settings
        return worker

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        # Past what RQ's spawning worker checks of its own way to start a process.
        super(SpawnWorker, self).bootstrap(*arguments, **options)

    def execute_job(self, job: "Job", queue: "Queue") -> None:
        lease = Lease(self.connection, self.settings.prefix, job.id)
        if not lease.take():
            # Somebody is at it, or was a moment ago; who looks for lost jobs comes again.
            job.delete()
            return
        self._lease = lease
        try:
            super().execute_job(job, queue)
        finally:
            self._lease = None
            with contextlib.suppress(RedisError):
                lease.release()

    def fork_work_horse(self, job: "Job", queue: "Queue") -> None:
        assert self._lease is not None and self.execution is not None
        environment = {
            **os.environ,
            **self.settings.to_environment(),
            JOB_VARIABLE: job.id,
            EXECUTION_VARIABLE: self.execution.id,
            WORKER_VARIABLE: self.name,
            TOKEN_VARIABLE: self._lease.token,
        }
        command = [sys.executable, "-m", PROCESS]
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, process_group=0
        )
        self._horse_pid = process.pid
        self._starting_until = time.monotonic() + _STARTING_SECONDS
        # Nobody but the monitor waits for it.
        process.returncode = 0

    def wait_for_horse(self) -> Any:
        found = super().wait_for_horse()
        # However the process went, it has gone: nobody need wait for the lease to expire.
        if self._lease is not None:
            with contextlib.suppress(RedisError):
                self._lease.release()
        return found

    def keep_lease(self) -> None:
        """Renew the lease for a process that may not have come so far yet."""
        if self._lease is not None and time.monotonic() < self._starting_until:
            with contextlib.suppress(RedisError):
                self._lease.renew()

    def maintain_heartbeats(self, job: "Job", execution: "Execution") -> None:
        self.keep_lease()
        # The job goes on while the server is away.
        with contextlib.suppress(RedisError):
            super().maintain_heartbeats(job, execution)

    def handle_warm_shutdown_request(self) -> None:
        """Ask the job at work to save itself, so that this worker can end soon."""
        super().handle_warm_shutdown_request()
        pid = self._horse_pid
        if pid:
            self._signal(pid, signal.SIGTERM)
            killer = threading.Timer(_FAREWELL_SECONDS, self._signal, (pid, signal.SIGKILL))
            killer.daemon = True
            killer.start()

    def _signal(self, pid: int, number: signal.Signals) -> None:
        if self._horse_pid == pid:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)

    def _shutdown(self) -> None:
        with contextlib.suppress(RedisError):
            return super()._shutdown()
        # Without the server that is to be told.
        self._stop_requested = True
        return None

    def set_state(self, state: str, pipeline: Any = None) -> None:
        # Of no use to anybody while the server is away.
        with contextlib.suppress(RedisError):
            super().set_state(state, pipeline)

    @property
    def is_wanted(self) -> bool:
        """Whether nobody has asked it to end."""
        return not self._stop_requested and self._shutdown_requested_date is None

"""The jobs that wait for a worker: a queue of RQ, of ids alone."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from redis import Redis
    from rq import Queue

    from ..settings import Settings

WORK = "schoolbell.runner.service.working.run_job.run_job"
"""What a worker calls with a job's id."""

_TIMEOUT = 5.0
# So long RQ remembers how its own part went; the job's folder knows the result.
_REMEMBER_SECONDS = 600


def rq_connection(url: str, timeout: float = _TIMEOUT) -> "Redis":
    """Return a client as RQ wants it: bytes, which it decodes itself."""
    from redis import Redis

    return Redis.from_url(url, socket_timeout=timeout, socket_connect_timeout=timeout)


class JobQueue:
    """The jobs that wait for a worker.

    Parameters
    ----------
    settings
        The service's.
    """

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.connection = rq_connection(settings.redis)
        self.rq: Queue = new_queue(settings, self.connection)

    def put(self, job_id: str) -> None:
        """Let a job wait, at the end; what RQ knows of it from before is forgotten.

        Raises
        ------
        RedisError
            If the server cannot be asked.
        """
        from rq import Retry

        self.forget(job_id)
        self.rq.enqueue(
            WORK,
            job_id,
            job_id=job_id,
            description=job_id,
            # A job's own limits are kept by its run; an alarm would strike it in pauses too.
            job_timeout=-1,
            result_ttl=_REMEMBER_SECONDS,
            failure_ttl=_REMEMBER_SECONDS,
            retry=Retry(max=max(1, self._settings.retries), enqueue_at_front=True),
        )

    def forget(self, job_id: str) -> None:
        """Take a job out of the queue, and out of RQ's memory."""
        from rq.exceptions import NoSuchJobError
        from rq.job import Job

        serializer = self.rq.serializer
        try:
            job = Job.fetch(job_id, connection=self.connection, serializer=serializer)
        except NoSuchJobError:
            self.rq.remove(job_id)
            return
        job.delete(remove_from_queue=True)
        self.rq.remove(job_id)

    def ids(self) -> list[str]:
        """Return the ids of the jobs that wait, the next first."""
        return self.rq.get_job_ids()

    def kill(self, job_id: str) -> bool:
        """Have the worker kill the process of a job; return whether one was asked."""
        from rq.command import send_stop_job_command
        from rq.exceptions import InvalidJobOperation, NoSuchJobError

        try:
            send_stop_job_command(self.connection, job_id, serializer=self.rq.serializer)
        except (NoSuchJobError, InvalidJobOperation, ValueError):
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()


def new_queue(settings: "Settings", connection: Any) -> "Queue":
    """Return RQ's queue of a service; its jobs are JSON, nothing is ever unpickled."""
    from rq import Queue
    from rq.serializers import JSONSerializer

    return Queue(settings.prefix, connection=connection, serializer=JSONSerializer)

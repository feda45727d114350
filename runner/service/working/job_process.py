"""``python -m schoolbell.runner.service.working.job_process``: the process of one job."""

import os
import sys

from rq.exceptions import NoSuchJobError
from rq.executions import Execution
from rq.job import Job
from rq.serializers import JSONSerializer

from ..jobs.job_queue import rq_connection
from ..settings import Settings
from .job_worker import EXECUTION_VARIABLE, JOB_VARIABLE, WORKER_VARIABLE, JobWorker


def main() -> None:
    """Do what RQ's worker does in the process of a job."""
    settings = Settings.from_environment()
    # So that its files, and what it may leave, are nobody else's.
    os.umask(0o077)
    connection = rq_connection(settings.redis)
    worker = JobWorker.of(settings)
    worker.name = os.environ[WORKER_VARIABLE]
    job_id = os.environ[JOB_VARIABLE]
    try:
        job = Job.fetch(job_id, connection=connection, serializer=JSONSerializer)
        execution = Execution.fetch(os.environ[EXECUTION_VARIABLE], job_id, connection=connection)
    except (NoSuchJobError, KeyError, ValueError):
        # Redis has forgotten it meanwhile, and whoever looks for lost jobs lets it wait again.
        sys.exit(f"job {job_id} is not in the queue any more; it will be taken up again")
    execution._job = job
    worker.execution = execution
    worker.main_work_horse(job, worker.queues[0])


if __name__ == "__main__":
    sys.exit(main())

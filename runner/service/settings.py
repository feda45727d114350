"""What a service is told when it is started."""

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

from ...callbacks.argument_error import ArgumentError, check_number
from ...callbacks.remote.job_keys import DEFAULT_PREFIX

VARIABLE = "SCHOOLBELL_SERVICE"
"""Environment variable that hands the settings on to a job's process."""

_MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """What a service is told when it is started; the same for the web application and workers.

    Attributes
    ----------
    folder
        Where jobs are kept; all machines of a service share it.
    redis
        URL of the Redis server that they share.
    prefix
        What all keys in Redis begin with.
    pipeline
        ``"MODULE:FUNCTION"`` that makes the pipeline of a job when it is called
        with the formulation's name.
    university_pipeline
        The same for whole universities; it is called with nothing.
    max_upload
        Most bytes of a request.
    max_lectures
        Most lectures of an instance; most classes of a university.
    max_jobs
        Most jobs of one token that have not ended.
    max_queue
        Most jobs that wait, of all tokens.
    max_seconds
        Most seconds that a job may run, pauses aside.
    max_memory
        Most bytes of a job's data; 0 for no limit.
    retries
        How often a job goes on whose process ended without a result.
    keep_days
        Days after which ended jobs are removed.
    backup_seconds
        Most seconds between two backups of a job.
    grace
        Seconds that a job has to end once it is asked to; then its process is killed.
    """

    __module__ = "schoolbell.runner.service"

    folder: Path
    redis: str
    prefix: str = DEFAULT_PREFIX
    pipeline: str = "schoolbell.runner:timetabling_pipeline"
    university_pipeline: str = "schoolbell.runner:university_pipeline"
    max_upload: int = 20 * _MEGABYTE
    max_lectures: int = 20_000
    max_jobs: int = 20
    max_queue: int = 1_000
    max_seconds: float = 3_600.0
    max_memory: int = 8_192 * _MEGABYTE
    retries: int = 5
    keep_days: float = 30.0
    backup_seconds: float = 5.0
    grace: float = 10.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder).absolute())
        for name in ("max_upload", "max_lectures", "max_jobs", "max_queue", "max_seconds"):
            check_number(name, getattr(self, name), 1, "a number of 1 or more")
        for name in ("max_memory", "retries", "keep_days", "backup_seconds", "grace"):
            check_number(name, getattr(self, name), 0, "a number of 0 or more")
        for name in ("pipeline", "university_pipeline"):
            module, colon, function = getattr(self, name).partition(":")
            if not (module and colon and function):
                raise ArgumentError.of(name, '"MODULE:FUNCTION"', getattr(self, name))

    @property
    def makers(self) -> dict[str, str]:
        """What makes the pipeline of a job, by the kind of its problem."""
        return {"timetable": self.pipeline, "university": self.university_pipeline}

    def to_environment(self) -> dict[str, str]:
        """Return the environment variable that `from_environment` reads."""
        return {VARIABLE: json.dumps(asdict(self) | {"folder": str(self.folder)})}

    @classmethod
    def from_environment(cls) -> Self:
        """Return the settings that the process was started with."""
        known = {one.name for one in fields(cls)}
        told = json.loads(os.environ[VARIABLE])
        return cls(**{name: value for name, value in told.items() if name in known})

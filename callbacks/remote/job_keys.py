"""Where Redis keeps what is known of a run."""

from dataclasses import dataclass

DEFAULT_PREFIX = "schoolbell"

COMMANDS = ("stop", "skip_stage", "pause", "resume")
"""What a watcher may ask of a run."""

JOB_ID_WANTED = (
    "a text of 1 to 100 letters, digits and signs without blanks and slashes, "
    "that begins with a letter or digit"
)
"""What a run's id must be: it is part of keys, and the name of a folder."""

HEARTBEAT_SECONDS = 10
"""Seconds after which a run that gives no sign of life is lost."""


def is_job_id(value: object) -> bool:
    """Tell whether a value can be a run's id."""
    if not isinstance(value, str) or not 1 <= len(value) <= 100 or not value.isprintable():
        return False
    return value[0].isalnum() and not set(value) & set(' /\\"*?<>|')


@dataclass(frozen=True, slots=True)
class JobKeys:
    """The keys of one run.

    Attributes
    ----------
    job_id
        The run's id.
    prefix
        What all keys begin with.
    """

    job_id: str
    prefix: str = DEFAULT_PREFIX

    @property
    def snapshot(self) -> str:
        """The hash of the newest snapshot."""
        return f"{self.prefix}:job:{self.job_id}"

    @property
    def events(self) -> str:
        """The stream of snapshots and stage changes."""
        return f"{self.snapshot}:events"

    @property
    def commands(self) -> str:
        """The stream of what watchers ask."""
        return f"{self.snapshot}:commands"

    @property
    def alive(self) -> str:
        """The heartbeat."""
        return f"{self.snapshot}:alive"

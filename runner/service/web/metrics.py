"""What Prometheus reads of a service."""

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from ....callbacks.remote.job_keys import JobKeys
from ....callbacks.remote.snapshot_fields import read_number
from ....callbacks.vocabulary import PAUSED, RUNNING
from ..jobs.job_state import ENDED, STATUSES

_SAMPLES = 10


class ServiceMetrics(Collector):
    """The numbers of a service at one moment.

    Parameters
    ----------
    jobs
        All jobs, as `describe` tells of them.
    owner
        Whose running jobs are told one by one.
    waiting
        How many wait in the queue.
    client, prefix
        Where the runs' events are.
    """

    def __init__(
        self, jobs: list[dict[str, Any]], owner: str, waiting: int, client: Any, prefix: str
    ) -> None:
        self._jobs = jobs
        self._owner = owner
        self._waiting = waiting
        self._client = client
        self._prefix = prefix

    def collect(self) -> Iterator[Any]:
        """Yield the metrics."""
        counts = GaugeMetricFamily("schoolbell_jobs", "Jobs by status.", labels=["status"])
        for status in STATUSES:
            counts.add_metric([status], sum(job["status"] == status for job in self._jobs))
        yield counts
        yield GaugeMetricFamily("schoolbell_queue_length", "Jobs that wait.", self._waiting)
        yield CounterMetricFamily(
            "schoolbell_job_seconds",
            "Seconds that all jobs have run.",
            sum(map(_seconds, self._jobs)),
        )
        rates = GaugeMetricFamily(
            "schoolbell_batches_per_second", "Batches a second, by running job.", labels=["job"]
        )
        progress = GaugeMetricFamily(
            "schoolbell_job_progress", "Progress of a job, 0 to 1.", labels=["job"]
        )
        cost = GaugeMetricFamily("schoolbell_job_cost", "Cost of the best so far.", labels=["job"])
        for job in self._jobs:
            if job["owner"] != self._owner or job["status"] not in (RUNNING, PAUSED):
                continue
            labels = [job["id"]]
            rates.add_metric(labels, self._rate(job["id"]))
            progress.add_metric(labels, job["progress"])
            if job["cost"] is not None:
                cost.add_metric(labels, job["cost"])
        yield from (rates, progress, cost)

    def _rate(self, job_id: str) -> float:
        """Return how many batches a second a run has made of late."""
        events: Any = self._client.xrevrange(JobKeys(job_id, self._prefix).events, count=_SAMPLES)
        fields = [one for _, one in events if one.get("event") == "snapshot"]
        same = [one for one in fields if one.get("stage") == fields[0].get("stage")]
        numbers = [
            (read_number(one.get("updated_at", "")), read_number(one.get("batch", "")))
            for one in same
        ]
        points = [(at, batch) for at, batch in numbers if at is not None and batch is not None]
        if len(points) < 2 or points[0][0] <= points[-1][0]:
            return 0.0
        return max(0.0, (points[0][1] - points[-1][1]) / (points[0][0] - points[-1][0]))


def _seconds(job: dict[str, Any]) -> float:
    if job["status"] in ENDED or job["elapsed"] is not None:
        return job["elapsed"] or 0.0
    return 0.0 if job["started_at"] is None else max(0.0, time.time() - job["started_at"])


def metrics_text(metrics: ServiceMetrics) -> bytes:
    """Return metrics in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(metrics)
    return generate_latest(registry)

"""How long a job may take, to begin too; its process's work done in this one."""

import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from schoolbell.callbacks import RedisUnavailableError
from schoolbell.callbacks.remote.embedded_redis import find_program
from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner.service import Settings
from schoolbell.runner.service.jobs.job_queue import JobQueue
from schoolbell.runner.service.jobs.job_request import JobRequest
from schoolbell.runner.service.jobs.job_store import JobStore
from schoolbell.runner.service.jobs.lease import Lease, lease_key
from schoolbell.runner.service.jobs.sweeper import Sweeper
from schoolbell.runner.service.serving.own_redis import OwnRedis
from schoolbell.runner.service.working import job_worker
from schoolbell.runner.service.working import run_job as working
from schoolbell.runner.service.working.job_worker import TOKEN_VARIABLE, JobWorker


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    try:
        find_program()
    except RedisUnavailableError as error:
        pytest.skip(str(error))
    server = OwnRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def settings(redis, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setenv(TOKEN_VARIABLE, "t")
    settings = Settings(
        tmp_path,
        redis.url,
        pipeline="service_pipeline:sums",
        max_seconds=1.0,
        grace=0.0,
        # It would be that of this process.
        max_memory=0,
    )
    for name, value in settings.to_environment().items():
        monkeypatch.setenv(name, value)
    before = signal.getsignal(signal.SIGTERM)
    yield settings
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def job(settings, instance):
    request = JobRequest(parameters={"sums.units": 1_000})
    job, _ = JobStore(settings.folder).add(request, instance.dumps().encode(), "anne")
    with connect(settings.redis) as client:
        Lease(client, settings.prefix, job.id, "t").take()
    return job


def test_a_job_is_stopped_when_its_seconds_are_over(job):
    working.run_job(job.id)
    assert job.result["status"] == "stopped"
    assert job.result["why"].startswith("stopped by Timer")
    assert 1.0 <= job.result["seconds"] < 10.0
    assert job.path("solution").exists()


def test_a_job_that_does_not_stop_when_its_seconds_are_over_is_killed(settings, job):
    asked, killed = [], []
    attempt = working._JobRun(settings, job)
    job.begin_attempt()
    snapshot = SimpleNamespace(elapsed=0.9)
    attempt._pipeline = SimpleNamespace(
        stop=lambda by: asked.append(by), tracker=SimpleNamespace(snapshot=lambda: snapshot)
    )
    attempt._look()
    assert job.stop_asked is None
    snapshot.elapsed = 1.1
    attempt._look()
    assert asked == ["command"]
    queue = JobQueue(settings)
    queue.kill = killed.append
    with connect(settings.redis) as client:
        Sweeper(settings).sweep(client, queue)
        assert killed == [job.id]
        # As its worker does.
        Lease(client, settings.prefix, job.id, "t").release()
        Sweeper(settings).sweep(client, queue)
        Sweeper(settings)._look(client, queue, job, waits=True, held=False)
    queue.close()
    told = job.result
    assert told["status"] == "stopped"
    assert told["why"] == "stopped since it took longer than 1 s, the service's limit"


def test_a_process_that_takes_long_to_begin_keeps_its_job(settings, job, monkeypatch):
    worker = JobWorker.of(settings)
    with connect(settings.redis) as client:
        worker._lease = Lease(client, settings.prefix, job.id, "t")
        key = lease_key(settings.prefix, job.id)
        monkeypatch.setattr(job_worker.subprocess, "Popen", lambda *_, **__: SimpleNamespace(pid=0))
        worker.execution = SimpleNamespace(id="x")
        worker.fork_work_horse(job, None)
        client.pexpire(key, 1_000)
        worker.keep_lease()
        assert client.pttl(key) > 5_000
        # Then the process must do so itself: it may hang.
        worker._starting_until = 0.0
        client.pexpire(key, 1_000)
        worker.keep_lease()
        assert client.pttl(key) <= 1_000

"""Jobs from their beginning to their end, with real processes."""

import importlib.util
import json
import os
import signal
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from schoolbell.runner.cli.main import main
from schoolbell.runner.service.client.service_error import ServiceError
from schoolbell.stages.university import Instance, Solution, evaluate, generate

BACKEND = Path(__file__).resolve().parents[3] / "docs" / "guides" / "in_your_backend.py"


@pytest.fixture(scope="module")
def service(new_service):
    options = {"grace": 1.0, "max_jobs": 50, "max_memory": 2 << 30, "retries": 2}
    universities = "service_pipeline:university"
    return new_service(workers=2, university_pipeline=universities, **options)


@pytest.fixture
def client(service):
    with service.client() as client:
        yield client


SLOW = {"sums.units": 10_000}


def end_of(client, job):
    return list(client.watch(job.id))[-1]


def test_a_job_runs_and_tells_how_it_ended(client, instance, tmp_path):
    job = client.submit(instance, name="monday", seed=3)
    assert not job.ended
    snapshots = list(client.watch(job.id))
    assert [one.progress for one in snapshots] == sorted(one.progress for one in snapshots)
    assert snapshots[-1].outcome == "finished"
    assert not any(one.outcome for one in snapshots[:-1])
    told = client.job(job.id)
    assert (told.status, told.name, told.seed, told.attempts) == ("finished", "monday", 3, 1)
    assert told.progress == 1.0
    files = client.fetch(job.id, tmp_path / "out")
    assert {path.name for path in files} == {"solution.sol", "log.csv", "run.json"}
    assert int((tmp_path / "out" / "solution.sol").read_text()) == told.cost
    assert json.loads((tmp_path / "out" / "run.json").read_text())["seed"] == 3


def test_a_job_whose_process_is_killed_goes_on_and_ends_the_same(service, client, instance, until):
    undisturbed = end_of(client, client.submit(instance, parameters={"sums.units": 40}))
    job = client.submit(instance, parameters={"sums.units": 40, "sums.hold_at": 10})
    until(lambda: client.job(job.id).progress > 0.2)
    os.kill(service.job_process(job.id), signal.SIGKILL)
    (service.settings.folder / "go-10").touch()
    last = end_of(client, job)
    told = client.job(job.id)
    assert (last.outcome, last.cost) == ("finished", undisturbed.cost)
    assert told.attempts > 1
    # It was taken up where it was, not begun anew.
    rows = (service.settings.folder / "jobs" / job.id / "log.csv").read_text().count("\n")
    assert rows == 41


def test_a_job_that_always_kills_its_process_is_lost_in_the_end(client, instance):
    job = client.submit(instance, parameters={"sums.kill_at": 2})
    last = end_of(client, job)
    assert last.status == "lost"
    assert "ended 3 times without a result" in last.outcome


def test_a_job_that_wants_too_much_memory_fails_alone(client, instance):
    other = client.submit(instance)
    job = client.submit(instance, parameters={"sums.megabytes": 8_000})
    last = end_of(client, job)
    assert last.status == "failed"
    told = client.job(job.id)
    assert (told.status, told.why) == ("failed", "it takes more memory than a job may have")
    assert (told.attempts, end_of(client, other).status) == (1, "finished")


def test_a_job_is_paused_resumed_and_stopped(client, instance, until):
    job = client.submit(instance, parameters=SLOW)
    until(lambda: client.job(job.id).progress > 0)
    client.pause(job.id)
    until(lambda: client.job(job.id).status == "paused")
    client.resume(job.id)
    until(lambda: client.job(job.id).status == "running")
    client.stop(job.id)
    last = end_of(client, job)
    assert (last.status, last.outcome) == ("stopped", "stopped by a command")
    with pytest.raises(ServiceError, match="has ended: stopped by a command"):
        client.pause(job.id)


def test_a_job_that_does_not_stop_is_killed_after_a_grace(client, instance, until):
    job = client.submit(instance, parameters={"sums.seconds": 60.0})
    until(lambda: client.job(job.id).message)
    client.stop(job.id)
    assert end_of(client, job).status == "stopped"


def test_a_job_that_waits_is_stopped_before_it_begins(client, instance, until):
    busy = [client.submit(instance, parameters=SLOW) for _ in range(2)]
    until(lambda: all(client.job(one.id).status == "running" for one in busy))
    job = client.submit(instance)
    assert client.job(job.id).status == "queued"
    client.stop(job.id)
    assert end_of(client, job).outcome == "stopped by a command before it began"
    for one in busy:
        client.stop(one.id)
        end_of(client, one)


def test_a_deleted_job_is_gone(service, client, instance, until):
    job = client.submit(instance, parameters=SLOW)
    until(lambda: client.job(job.id).status == "running")
    client.delete(job.id)
    with pytest.raises(ServiceError, match="no job"):
        client.job(job.id)
    assert job.id not in [one.id for one in client.jobs()]
    folder = service.settings.folder / "jobs" / job.id
    until(lambda: not folder.exists())


def test_jobs_are_found_again_when_redis_has_forgotten_everything(service, client, instance, until):
    running = client.submit(instance, parameters={"sums.units": 20, "sums.hold_at": 8})
    until(lambda: client.job(running.id).progress > 0.1)
    others = [client.submit(instance, parameters={"sums.units": 60, "sums.seconds": 0.05})]
    others += [client.submit(instance) for _ in range(2)]
    service.redis_client().flushall()
    (service.settings.folder / "go-8").touch()
    assert [end_of(client, one).outcome for one in (running, *others)] == ["finished"] * 4


def test_two_requests_with_one_key_start_one_job(client, instance):
    first = client.submit(instance, key="abc")
    again = client.submit(instance, key="abc")
    assert first.id == again.id
    with pytest.raises(ServiceError, match="another request") as error:
        client.submit(instance, seed=1, key="abc")
    assert error.value.status == 422
    end_of(client, first)


def test_a_university_is_solved_though_its_process_is_killed(
    service, client, tmp_path, monkeypatch, capsys, until
):
    path, out = tmp_path / "small.xml.gz", tmp_path / "out"
    generate(30, 60, seed=3).write(path)
    monkeypatch.setenv("SCHOOLBELL_URL", service.url)
    monkeypatch.delenv("SCHOOLBELL_TOKEN", raising=False)
    assert main(["submit", str(path), "--name", "term", "--set", "ga.population=3"]) == 0
    job = client.job(capsys.readouterr().out.strip())
    until(lambda: client.job(job.id).cost is not None)
    os.kill(service.job_process(job.id), signal.SIGKILL)
    assert end_of(client, job).outcome == "finished"
    ended = client.job(job.id)
    assert (ended.kind, ended.name, ended.attempts) == ("university", "term", 2)
    found = client.violations(job.id)
    assert (found["cost"], found["violations"]) == (ended.cost, ended.violations)
    assert set(found["soft"]) == {"time", "room", "distribution", "student"}
    client.fetch(job.id, out)
    files = {one.name for one in out.iterdir()}
    assert files == {"solution.xml", "timetable.html", "timetable.csv", "log.csv", "run.json"}
    solution = Solution.read(out / "solution.xml", Instance.read(path))
    assert evaluate(solution).cost == ended.cost
    assert client.validate(path, out / "solution.xml")["cost"] == ended.cost


def test_the_backend_of_the_docs_starts_a_job_and_streams_its_progress(
    service, instance, monkeypatch
):
    monkeypatch.setenv("REDIS_URL", service.redis.url)
    monkeypatch.setenv("JOBS", str(service.settings.folder))
    spec = importlib.util.spec_from_file_location("in_your_backend", BACKEND)
    backend = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(backend)
    with TestClient(backend.app) as client:
        files = {"instance": ("week.ectt", instance.dumps())}
        job = client.post("/generate", files=files).json()["job"]
        lines = client.get(f"/progress/{job}").text.splitlines()
        assert lines[-1].startswith("100.0%")
        told = client.get(f"/timetables/v1/jobs/{job}").json()
        assert told["status"] == "finished"
        assert "schoolbell" in client.get("/timetables/").text
    backend.service.stop()
    assert not [one for one in threading.enumerate() if one.name == "sweeper" and one.is_alive()]

"""The backend of the docs, run as a reader would run it."""

import importlib.util
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ROOT / "docs" / "guides" / "in_your_backend.py"


@pytest.fixture(scope="module")
def service(new_service):
    return new_service(workers=1)


def test_the_backend_of_the_docs_starts_a_job_and_streams_its_progress(
    service, instance, monkeypatch
):
    monkeypatch.setenv("REDIS_URL", service.redis.url)
    monkeypatch.setenv("JOBS", str(service.settings.folder))
    spec = importlib.util.spec_from_file_location("in_your_backend", SOURCE)
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

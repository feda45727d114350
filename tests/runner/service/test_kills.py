"""Kills of each kind at random moments; benchmarks/service_kills.py does it at length."""

import sys
from pathlib import Path

import pytest
from schoolbell.callbacks import RedisUnavailableError
from schoolbell.callbacks.remote.embedded_redis import find_program

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


def test_no_kill_loses_a_job_or_does_one_twice(tmp_path, monkeypatch):
    try:
        find_program()
    except RedisUnavailableError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), str(Path(__file__).parent), *sys.path])
    import service_kills

    monkeypatch.setattr(service_kills, "LEAST_GAP", 0.2)
    monkeypatch.setattr(service_kills, "MOST_GAP", 1.0)
    monkeypatch.setattr(service_kills, "PARAMETERS", {"sums.units": 20, "sums.seconds": 0.05})
    found = service_kills.kill_and_count(tmp_path, kills=10, workers=1, seed=2)
    assert found["jobs"] > 0
    assert found["same"] == found["jobs"], found["others"]

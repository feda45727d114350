"""The interface under what nobody would send."""

import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

CALLS_EACH = int(os.environ.get("SCHOOLBELL_FUZZ_CALLS", "3"))
TOKEN = "t" * 20


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    from schoolbell.runner.service import Settings, create_app
    from schoolbell.runner.service.serving.own_redis import OwnRedis

    redis = OwnRedis(tmp_path_factory.mktemp("redis"))
    redis.start()
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    folder = tmp_path_factory.mktemp("jobs")
    limits = {"pipeline": "service_pipeline:sums", "max_jobs": 5}
    app = create_app(Settings(folder, redis.url, **limits), tokens={"anne": TOKEN})
    yield app
    os.environ.pop("PYTHONPATH")
    app.state.service.stop()
    redis.stop()


def test_nothing_that_is_sent_makes_the_service_fail(app):
    # Here and not above: it takes seconds to import, and each process of the tests would.
    openapi = pytest.importorskip("schemathesis", reason="schemathesis is not installed").openapi
    headers = {"Authorization": f"Bearer {TOKEN}"}
    calls = Counter()
    for operation in openapi.from_asgi(
        "/v1/openapi.json", app, headers=headers
    ).get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(
            max_examples=CALLS_EACH,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def call(case):
            calls[case.method, case.path] += 1
            response = case.call(headers=headers)
            assert response.status_code < 500, (case.method, case.path, response.text)
            if response.status_code >= 400:
                assert response.headers["content-type"][0] == "application/problem+json"

        call()
    assert calls["POST", "/v1/jobs"] >= CALLS_EACH
    print(f"{calls.total():,} calls of {len(calls)} operations")

"""The interface under what nobody would send."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

schemathesis = pytest.importorskip("schemathesis")

CALLS_EACH = int(os.environ.get("SCHOOLBELL_FUZZ_CALLS", "12"))
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


@pytest.fixture
def interface(app):
    return schemathesis.openapi.from_asgi(
        "/v1/openapi.json", app, headers={"Authorization": f"Bearer {TOKEN}"}
    )


schema = schemathesis.pytest.from_fixture("interface")


@schema.parametrize()
@settings(
    max_examples=CALLS_EACH,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_that_is_sent_makes_the_service_fail(case):
    response = case.call(headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code < 500, (case.method, case.path, response.text)
    if response.status_code >= 400:
        assert response.headers["content-type"][0] == "application/problem+json"

"""The interface of the web application, asked in this process, with a real Redis server."""

import gzip
import json
import os
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner.problems.choosing import problem_of
from schoolbell.runner.service import Settings, create_app
from schoolbell.runner.service.jobs.job import Job
from schoolbell.runner.service.jobs.job_pipeline import make_pipeline, set_parameters
from schoolbell.runner.service.jobs.lease import lease_key
from schoolbell.runner.service.jobs.sweeper import Sweeper
from schoolbell.runner.service.serving.own_redis import OwnRedis
from schoolbell.runner.service.serving.serve import Address, server_config
from schoolbell.runner.service.web.tokens import Tokens
from schoolbell.stages.timetable import generate, generate_with_timetable
from schoolbell.stages.university import evaluate as evaluate_university
from schoolbell.stages.university import generate as generate_university
from schoolbell.stages.university import generate_with_solution

ANNE, BERT = "a" * 20, "b" * 20
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    server = OwnRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def settings(redis, tmp_path_factory):
    limits = {"max_jobs": 4, "max_upload": 100_000, "max_lectures": 100, "max_seconds": 600.0}
    return Settings(
        tmp_path_factory.mktemp("jobs"), redis.url, pipeline="service_pipeline:harmful", **limits
    )


@pytest.fixture(scope="module")
def app(settings):
    # Where the checker's process finds the pipeline.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    app = create_app(settings, tokens={"anne": ANNE, "bert": BERT})
    with TestClient(app, raise_server_exceptions=False):
        yield app
    os.environ.pop("PYTHONPATH")
    if before is not None:
        os.environ["PYTHONPATH"] = before


@pytest.fixture
def anne(app):
    return TestClient(app, headers={"Authorization": f"Bearer {ANNE}"})


@pytest.fixture
def bert(app):
    return TestClient(app, headers={"Authorization": f"Bearer {BERT}"})


@pytest.fixture
def nobody(app):
    return TestClient(app)


@pytest.fixture(autouse=True)
def no_jobs(app):
    """Each test begins without jobs."""
    yield
    service = app.state.service
    for job in service.store.jobs():
        service.queue.forget(job.id)
        job.remove()


TEXT = generate(4, seed=1).dumps()


def submit(client, **values):
    return client.post("/v1/jobs", json={"instance": TEXT, **values})


def test_a_job_comes_as_json_or_as_a_form(anne):
    values = {"name": "monday", "seed": 7, "time_limit": 5.5, "parameters": {"sums.units": 3}}
    first = submit(anne, **values)
    form = {name: json.dumps(one) for name, one in values.items()} | {"name": "monday"}
    second = anne.post("/v1/jobs", data=form, files={"instance": ("../../x", TEXT)})
    for answer in (first, second):
        assert answer.status_code == 202
        job = answer.json()
        assert {name: job[name] for name in values} == values
        assert job["status"] == "queued"
        assert anne.get(answer.headers["Location"]).json()["id"] == job["id"]


def test_what_is_wrong_is_told_in_the_packages_own_words(anne):
    lines = TEXT.splitlines()
    broken = "\n".join([*lines[:1], "Courses: few", *lines[2:]])
    answer = anne.post("/v1/jobs", json={"instance": broken})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    told = answer.json()
    assert (told["file"], told["line"]) == ("instance.ectt", 2)
    assert "few" in told["found"] and told["expected"]
    assert told["detail"].startswith("instance.ectt:2: found")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seed": -1}, "seed must be a whole number of 0 or more, got -1"),
        ({"seed": True}, "seed must be a whole number"),
        ({"time_limit": 0}, "time_limit must be a positive number of seconds, got 0"),
        ({"time_limit": 601}, "time_limit must be at most 600 seconds at this service, got 601"),
        ({"formulation": "UD9"}, "unknown formulation 'UD9'"),
        ({"parameters": {"sums.unit": 3}}, "did you mean 'units'"),
        ({"parameters": {"sums.units": "../../etc/passwd"}}, "a number, a truth value, a word or"),
        ({"parameters": {"sums.units": [[[[3]]]]}}, "a short list of them"),
        ({"parameters": {"sums.units": ["\ud800"]}}, "a short list of them"),
        ({"parameters": {"sums": 3}}, 'an object such as {"ga.population": 8}'),
        ({"nmae": "x"}, "did you mean 'name'"),
        ({"name": "x" * 101}, "name must be a text of at most 100 printable letters"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(anne, values, words):
    # As ASCII, so that half a character can be sent too.
    body = json.dumps({"instance": TEXT, **values})
    answer = anne.post("/v1/jobs", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_too_much_is_refused(anne, settings, app):
    large = anne.post("/v1/jobs", json={"instance": "x" * settings.max_upload})
    assert (large.status_code, large.headers["content-type"]) == (413, PROBLEM)
    assert "at most 100,000 bytes" in large.json()["detail"]
    piecewise = anne.post("/v1/jobs", content=(b"x" * 50_000 for _ in range(3)))
    assert piecewise.status_code == 413
    many = anne.post("/v1/jobs", json={"instance": generate(60, seed=1).dumps()})
    assert many.status_code == 422
    assert "expected at most 100 at this service" in many.json()["detail"]
    answers = [submit(anne).status_code for _ in range(settings.max_jobs + 1)]
    assert answers == [202] * settings.max_jobs + [429]
    assert "jobs of anne that have not ended" in submit(anne).json()["detail"]


@pytest.mark.parametrize(
    ("formulation", "words"),
    [("UD3", "it takes more memory than a job may have"), ("UD4", "not be read within the limits")],
)
def test_a_file_that_does_harm_costs_nothing_but_itself(anne, app, formulation, words):
    checking = app.state.service.checker._running().pid
    answer = submit(anne, formulation=formulation)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert submit(anne).status_code == 202
    assert app.state.service.checker._running().pid == checking


UNIVERSITY, WEEKS = generate_with_solution(20, 30, seed=1)


@pytest.mark.parametrize("packed", [True, False])
def test_a_university_is_kept_packed_however_it_comes(anne, packed):
    text = UNIVERSITY.dumps().encode()
    data = gzip.compress(text) if packed else text
    values = {"parameters": json.dumps({"ga.population": 3})}
    answer = anne.post("/v1/jobs", data=values, files={"instance": ("x", data)})
    assert answer.status_code == 202
    job = answer.json()
    assert (job["kind"], job["formulation"]) == ("university", None)
    file = anne.get(f"/v1/jobs/{job['id']}/files/instance")
    assert file.headers["content-disposition"].endswith('-instance.xml.gz"')
    assert gzip.decompress(file.content) == text


def test_what_is_wrong_with_a_university_is_told_with_its_line(anne):
    lines = UNIVERSITY.dumps().splitlines()
    wrong = next(number for number, line in enumerate(lines) if "<class " in line)
    lines[wrong] = lines[wrong].replace("<class ", '<class limitless="1" nosuch="')
    answer = anne.post("/v1/jobs", json={"instance": "\n".join(lines)})
    assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM)
    told = answer.json()
    assert (told["file"], told["line"]) == ("instance.xml", wrong + 1)
    assert told["detail"].startswith(f"instance.xml:{wrong + 1}: found")
    damaged = gzip.compress(UNIVERSITY.dumps().encode())[:100]
    answer = anne.post("/v1/jobs", files={"instance": ("x", damaged)})
    assert (answer.status_code, answer.json()["file"]) == (422, "instance.xml.gz")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"formulation": "UD3"}, "formulation must be left out for a whole university"),
        ({"parameters": {"finalize.html": "x"}}, "must not set finalize.html"),
        ({"parameters": {"ga.populaton": 3}}, "did you mean 'population'"),
    ],
)
def test_what_a_university_has_no_use_for_is_refused(anne, values, words):
    answer = anne.post("/v1/jobs", json={"instance": UNIVERSITY.dumps(), **values})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_a_parameter_that_is_an_option_of_the_run_itself_is_refused():
    problem = problem_of("timetable")
    pipeline = make_pipeline({"timetable": "schoolbell.runner:timetabling_pipeline"}, problem)
    for name in ("load.formulation", "finalize.csv"):
        with pytest.raises(ValueError, match=f"must not set {name}"):
            set_parameters(pipeline, {name: "UD3"})
    set_parameters(pipeline, {"ga.population": 3})


def test_a_university_with_too_many_classes_is_refused(anne):
    text = generate_university(101, 0, seed=1).dumps()
    data = gzip.compress(text.encode())
    answer = anne.post("/v1/jobs", files={"instance": ("x", data)})
    assert answer.status_code == 422
    assert "found 101 classes, expected at most 100 at this service" in answer.json()["detail"]


def test_a_university_s_timetable_is_validated(anne):
    files = {"instance": UNIVERSITY.dumps(), "solution": WEEKS.dumps()}
    told = anne.post("/v1/validate", files=files).json()
    assert (told["feasible"], told["formulation"]) == (True, None)
    assert told["cost"] == evaluate_university(WEEKS).cost == sum(told["soft"].values())
    assert told["details_total"] == len(evaluate_university(WEEKS).details())
    wrong = anne.post("/v1/validate", json={**files, "solution": "<solution"})
    assert (wrong.status_code, wrong.json()["file"]) == (422, "solution.xml")


def test_the_demo_of_a_university_is_one(anne):
    answer = anne.get("/v1/demo?kind=university&classes=20&seed=1")
    assert answer.headers["content-type"].startswith("application/xml")
    assert answer.text == generate_university(20, seed=1).dumps()
    assert anne.get("/v1/demo?kind=school").status_code == 422


def test_jobs_that_ended_long_ago_are_removed(anne, app, settings):
    old, new, running = (Job(settings.folder / "jobs" / submit(anne).json()["id"]) for _ in "abc")
    for job, days in ((old, 2.1), (new, 1.9)):
        job.finish({"status": "finished"})
        path = job.folder / "result.json"
        told = json.loads(path.read_text()) | {"ended_at": time.time() - days * 86_400}
        path.write_text(json.dumps(told))
    half, young = (settings.folder / "jobs" / name for name in (".new-old", ".new-young"))
    for one in (half, young):
        one.mkdir()
    os.utime(half, (time.time() - 7_200,) * 2)
    queue = app.state.service.queue
    with connect(settings.redis) as client:
        Sweeper(replace(settings, keep_days=2.0)).sweep(client, queue)
    assert [one.folder.exists() for one in (old, new, running)] == [False, True, True]
    assert (half.exists(), young.exists()) == (False, True)
    young.rmdir()


@pytest.mark.parametrize(
    ("proxies", "client", "secure"),
    [
        (("10.0.0.1",), "10.0.0.1", True),
        (("10.0.0.0/8", "::1"), "10.9.9.9", True),
        (("10.0.0.1",), "10.0.0.2", False),
        ((), "127.0.0.1", False),
    ],
)
def test_forwarded_headers_are_believed_of_named_proxies_alone(app, proxies, client, secure):
    config = server_config(app, Address(root_path="/tt", trusted=proxies))
    config.load()
    browser = TestClient(config.loaded_app, client=(client, 50_000), root_path="/tt")
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "1.2.3.4"}
    answer = browser.post("/login", data={"token": ANNE}, headers=headers)
    cookie = answer.headers["set-cookie"]
    assert ("Secure" in cookie) is secure
    assert "Path=/tt;" in cookie


def test_a_page_behind_a_proxy_that_has_changed_the_host_is_the_services_own(anne):
    headers = {"Origin": "https://timetables.example", "Sec-Fetch-Site": "same-origin"}
    answer = anne.post("/v1/jobs", json={"instance": TEXT}, headers=headers)
    assert answer.status_code == 202


def test_a_job_is_nobody_elses(anne, bert, nobody):
    job = submit(anne).json()["id"]
    assert bert.get("/v1/jobs").json()["jobs"] == []
    own = f"/v1/jobs/{job}"
    paths = [own, f"{own}/events", f"{own}/files/instance", f"{own}/violations", f"{own}/curve"]
    for path in paths:
        assert bert.get(path).status_code == 404
        assert nobody.get(path).status_code == 401
    for command in ("stop", "pause", "resume", "skip-stage"):
        assert bert.post(f"{own}/{command}").status_code == 404
        assert nobody.post(f"{own}/{command}").status_code == 401
    assert bert.delete(own).status_code == 404
    assert nobody.post("/v1/jobs", json={"instance": TEXT}).status_code == 401
    assert nobody.get("/metrics").status_code == 401
    assert anne.get(own).status_code == 200


def test_an_almost_right_token_is_none(app):
    for token in (ANNE[:-1], f"{ANNE}a", "", "é"):
        client = TestClient(app, headers={"Authorization": f"Bearer {token}".encode()})
        answer = client.get("/v1/jobs")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_link_lets_one_browser_in_once(anne, app):
    link = anne.post("/v1/links").json()["link"]
    browser = TestClient(app)
    answer = browser.get(f"/{link}")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
    assert browser.get("/v1/service").json()["owner"] == "anne"
    assert TestClient(app).get(f"/{link}").status_code == 401
    browser.post("/logout")
    browser.cookies.set("schoolbell_session", cookie.partition("=")[2].partition(";")[0])
    assert browser.get("/v1/service").status_code == 401


def test_a_token_lets_a_browser_in(nobody, app):
    assert nobody.post("/login", data={"token": "c" * 20}).status_code == 401
    browser = TestClient(app)
    assert browser.post("/login", data={"token": BERT}).status_code == 200
    assert browser.get("/v1/service").json()["owner"] == "bert"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_sites_page_cannot_do_anything(anne, headers):
    assert anne.post("/v1/jobs", json={"instance": TEXT}, headers=headers).status_code == 403
    assert anne.post("/v1/links", headers=headers).status_code == 403


def test_without_tokens_only_this_machines_names_are_answered(settings):
    app = create_app(settings)
    client = TestClient(app)
    assert client.get("/v1/service", headers={"Host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/v1/service", headers={"Host": "rebound.example"}).status_code == 403
    app.state.service.stop()


def test_every_answer_has_the_headers_of_security(anne, nobody):
    for answer in (
        anne.get("/"),
        nobody.get("/v1/jobs"),
        anne.get("/static/main.js"),
        anne.get("/x"),
    ):
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_no_path_leads_out_of_a_folder(anne):
    job = submit(anne).json()["id"]
    for name in (
        "..%2Fjob.json",
        "job.json",
        "lock",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "result.json",
    ):
        assert anne.get(f"/v1/jobs/{job}/files/{name}").status_code == 404
    for name in ("..%2f..%2fapp.py", "app.py"):
        assert anne.get(f"/static/{name}").status_code == 404
    assert anne.get("/v1/jobs/..").status_code == 404


def test_jobs_come_in_pages_and_by_status(anne):
    ids = [submit(anne, name=str(number)).json()["id"] for number in range(3)]
    first = anne.get("/v1/jobs?limit=2").json()
    rest = anne.get("/v1/jobs", params={"limit": 2, "before": first["next"]}).json()
    found = [job["id"] for job in first["jobs"] + rest["jobs"]]
    assert found == sorted(ids, reverse=True)
    assert rest["next"] is None
    assert anne.get("/v1/jobs?status=running&status=failed").json()["jobs"] == []
    assert len(anne.get("/v1/jobs?status=queued").json()["jobs"]) == 3
    assert anne.get("/v1/jobs?status=sleeping").status_code == 422


def test_a_timetable_is_validated(anne):
    instance, solution = generate_with_timetable(4, seed=1)
    files = {"instance": instance.dumps(), "solution": solution.dumps()}
    told = anne.post("/v1/validate", data={"formulation": "UD2"}, files=files).json()
    assert (told["feasible"], told["violations"]) == (True, 0)
    assert told["cost"] == sum(told["soft"].values())
    wrong = anne.post("/v1/validate", json={"instance": TEXT, "solution": "c00 nowhere 0 0"})
    assert wrong.status_code == 422
    assert (wrong.json()["file"], wrong.json()["line"]) == ("solution.sol", 1)


def test_the_demo_is_an_instance(anne):
    answer = anne.get("/v1/demo?courses=4&seed=1")
    assert answer.text == TEXT


def test_a_command_that_comes_at_the_wrong_time_is_refused_in_words(anne):
    job = submit(anne).json()["id"]
    answer = anne.post(f"/v1/jobs/{job}/pause")
    assert answer.status_code == 409
    assert answer.json()["detail"] == f"job {job} is queued, expected running or paused"


def test_metrics_are_what_prometheus_reads(anne, bert, settings):
    from prometheus_client.parser import text_string_to_metric_families

    job = submit(anne).json()["id"]
    with connect(settings.redis) as client:
        client.set(lease_key(settings.prefix, job), "x")
        families = {
            one.name: one for one in text_string_to_metric_families(anne.get("/metrics").text)
        }
        counts = {one.labels["status"]: one.value for one in families["schoolbell_jobs"].samples}
        assert (counts["running"], counts["finished"]) == (1, 0)
        assert [one.labels for one in families["schoolbell_job_progress"].samples] == [{"job": job}]
        assert job not in bert.get("/metrics").text
        client.delete(lease_key(settings.prefix, job))


def test_health_needs_no_token_and_tells_nothing(nobody):
    assert nobody.get("/healthz").json() == {"status": "ok"}
    assert nobody.get("/readyz").json()["status"] == "ready"


def test_the_description_of_the_interface_is_whole(anne):
    described = anne.get("/v1/openapi.json").json()
    assert {"/v1/jobs", "/v1/jobs/{job_id}/events", "/v1/validate", "/metrics"} <= set(
        described["paths"]
    )
    assert PROBLEM in described["paths"]["/v1/jobs"]["get"]["responses"]["401"]["content"]


def test_a_file_of_tokens_is_its_owners_alone(tmp_path):
    path = tmp_path / "tokens"
    path.write_text(f"# ours\nanne {ANNE}\n\nbert {BERT}\n")
    path.chmod(0o644)
    with pytest.raises(ValueError, match="found the mode 0644, expected 0600"):
        Tokens.read(path)
    path.chmod(0o600)
    tokens = Tokens.read(path)
    assert (tokens.owner_of(BERT), tokens.owner_of("x")) == ("bert", None)
    assert ANNE not in repr(tokens)
    path.write_text(f"anne {ANNE} x\n")
    with pytest.raises(ValueError, match=r"tokens:1: found 3 words") as error:
        Tokens.read(path)
    assert ANNE not in str(error.value)


@pytest.mark.parametrize("tokens", [{"anne": "short"}, {"a b": ANNE}, {"x": ANNE, "y": ANNE}])
def test_tokens_that_make_no_sense_are_refused_without_being_shown(tokens):
    with pytest.raises(ValueError) as error:
        Tokens(tokens)
    assert not re.search("short|aaaa", str(error.value))

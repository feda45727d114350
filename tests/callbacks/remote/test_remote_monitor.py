"""Posts to a real web server, which may fail, hang, refuse, redirect or be away."""

import base64
import json
import threading
import time
import warnings
from dataclasses import fields
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from schoolbell.callbacks import LambdaCallback, RemoteMonitor, Snapshot
from schoolbell.callbacks.remote import event_feed, redis_feed
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

SECRETS = ("hunter2", "s3cret-token", base64.b64encode(b"ann:hunter2").decode())


class Server:
    """A web server that keeps what it is sent.

    `answer` is a status, a function of the body that returns one, or None for no answer at all.
    """

    def __init__(self, port=0, answer=200):
        self.answer, self.seen = answer, []
        self.came, self.released = threading.Condition(), threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                answer = outer.answer(body) if callable(outer.answer) else outer.answer
                with outer.came:
                    outer.seen.append((self.path, dict(self.headers), body, answer))
                    outer.came.notify_all()
                if answer is None:
                    outer.released.wait()
                    return
                self.send_response(answer)
                if answer == 302:
                    self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_address[1]
        self.root = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def wait_for(self, condition, patience=20):
        with self.came:
            assert self.came.wait_for(lambda: condition(self), patience)

    @property
    def events(self):
        return [json.loads(body) for _, _, body, answer in self.seen if answer == 200]

    def recover(self):
        """Wait until something came, then be well again."""
        self.wait_for(lambda server: server.seen)
        self.answer = 200
        self.released.set()

    def close(self):
        self.released.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


class Steps(Stage):
    metrics = ("speed",)

    def __init__(self, steps=3, waits=None, name="steps"):
        self.steps, self.waits, self.name = steps, waits or {}, name

    def run(self, state, budget):
        for step in range(self.steps):
            state.offer(step, 100 - step, 0)
            yield Batch(step + 1, self.steps, {"speed": float("nan") if step else 2.0})
            if step in self.waits:
                self.waits[step]()


def fit(monitor, *stages, **options):
    return Pipeline(stages or [Steps()]).fit(
        callbacks=monitor, verbose=False, job_id="monday", **options
    )


def quick(root, **options):
    return RemoteMonitor(root, "/up", send_as_json=True, interval=0.01, **options)


def names(events):
    return [event["event"] for event in events if event["event"] != "snapshot"]


ORDER = ["pipeline_begin", "stage_begin", "stage_end", "pipeline_end"]


def test_a_run_is_told_from_beginning_to_end(server):
    waits = {1: lambda: server.wait_for(lambda s: any(e["batch"] == 1 for e in s.events))}
    fit(quick(server.root), Steps(waits=waits))
    events = server.events
    assert names(events) == ORDER
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert all(event["job_id"] == "monday" for event in events)
    seen = next(event for event in events if event["batch"] == 1)
    assert (seen["event"], seen["stage"], seen["done"], seen["total"]) == (
        "snapshot",
        "steps",
        2,
        3,
    )
    assert (seen["cost"], seen["violations"], seen["message"]) == (99, 0, "Steps: 2/3")
    assert (seen["logs"]["cost"], seen["logs"]["speed"]) == (99, None)
    assert events[-1]["status"] == "finished"
    assert events[-1]["progress"] == 1
    progress = [event["progress"] for event in events]
    assert progress == sorted(progress)


def test_it_posts_what_redis_gets(server):
    run = fit(quick(server.root))
    last = server.events[-1]
    values = {one.name: last[one.name] for one in fields(Snapshot)}
    event = event_feed.Event(last["event"], last["seq"], last["updated_at"], values, last["logs"])
    of_redis = redis_feed.event_fields(event)
    assert json.loads(of_redis.pop("logs")) == last["logs"]
    for name, text in of_redis.items():
        assert text == ("" if last[name] is None else str(last[name]))
    assert last["cost"] == run.cost


def test_by_default_it_posts_a_form_as_keras_does(server):
    fit(RemoteMonitor(server.root, headers={"X-Team": "timetables"}))
    path, headers, body, _ = server.seen[0]
    assert path == "/publish/epoch/end/"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["X-Team"] == "timetables"
    (text,) = parse_qs(body)["data"]
    assert json.loads(text)["event"] == "pipeline_begin"


def test_json_is_posted_as_it_is_when_asked_for(server):
    fit(quick(server.root))
    path, headers, body, _ = server.seen[0]
    assert (path, headers["Content-Type"]) == ("/up", "application/json")
    assert json.loads(body)["event"] == "pipeline_begin"


def test_user_and_password_of_the_url_go_into_a_header(server):
    fit(quick(server.root.replace("://", "://ann:hunter2@")))
    assert server.seen[0][1]["Authorization"] == f"Basic {SECRETS[2]}"


def test_a_server_that_comes_back_gets_everything_in_order_after_one_warning(server):
    server.answer = 503
    back = threading.Event()

    def recover():
        server.wait_for(lambda s: len(s.seen) >= 2)
        server.answer = 200
        back.set()

    stages = [Steps(name="first", waits={0: recover}), Steps(name="second")]
    with pytest.warns(RuntimeWarning, match="it answers 503") as caught:
        run = fit(quick(server.root), *stages)
    assert back.is_set()
    assert run.status == "finished"
    assert len(caught) == 1
    assert names(server.events) == [ORDER[0], *(ORDER[1:3] * 2), ORDER[3]]
    assert server.events[-1]["progress"] == 1


def test_a_server_that_starts_late_hears_of_everything():
    port = Server()
    port.close()
    servers = []

    def start():
        time.sleep(0.05)
        servers.append(Server(port.port))

    with pytest.warns(RuntimeWarning, match="Connection refused"):
        fit(quick(port.root), Steps(waits={1: start}))
        servers[0].wait_for(lambda s: "pipeline_end" in names(s.events))
    assert names(servers[0].events) == ORDER
    servers[0].close()


def test_a_server_that_hangs_holds_up_neither_run_nor_its_end(server):
    server.answer = None
    asked = []
    with pytest.warns(RuntimeWarning) as caught:
        end = LambdaCallback(on_stage_end=lambda stage, logs: asked.append(len(server.seen)))
        fit([end, quick(server.root)], Steps(waits={0: lambda: server.wait_for(lambda s: s.seen)}))
    assert len(caught) == 1
    # The stage has ended before the first request was given up, the run before any was answered.
    assert asked == [1]
    assert not server.released.is_set()


def test_what_a_server_refuses_for_good_is_not_repeated(server):
    server.answer = lambda body: 422 if '"stage_begin"' in body else 200
    with pytest.warns(RuntimeWarning, match="it answers 422") as caught:
        fit(quick(server.root))
    assert len(caught) == 1
    assert sum(answer == 422 for *_, answer in server.seen) == 1
    assert names(server.events) == ["pipeline_begin", "stage_end", "pipeline_end"]


def test_redirects_are_not_followed_since_headers_would_follow_too(server):
    server.answer = 302
    monitor = quick(server.root, headers={"X-Token": "s3cret-token"})
    with pytest.warns(RuntimeWarning, match="302"):
        fit(monitor, Steps(waits={0: server.recover}))
    assert {path for path, *_ in server.seen} == {"/up"}


def test_memory_stays_bounded_while_the_server_is_away(server, monkeypatch):
    monkeypatch.setattr(event_feed, "MOST_PENDING", 20)
    server.answer = 503
    monitor = quick(server.root)
    stages = [Steps(1, name=f"s{i}") for i in range(60)]
    kept = []

    def look():
        feed = monitor._feed
        kept.append(len(feed._pending) + len(feed._inbox))
        server.recover()

    with pytest.warns(RuntimeWarning):
        fit(monitor, *stages, Steps(waits={1: look}, name="last"))
    assert 20 <= kept[0] <= 40
    assert server.events[-1]["progress"] == 1


@pytest.mark.parametrize("answer", [500, 401, 302, 422, None])
def test_no_credential_is_shown_whatever_happens(server, capfd, answer):
    server.answer = answer
    root = server.root.replace("://", "://ann:hunter2@")
    monitor = quick(root, headers={"X-Token": "s3cret-token"})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(monitor, Steps(waits={0: server.recover}))
    shown = [*map(str, (one.message for one in caught)), *capfd.readouterr()]
    shown += [repr(monitor), str(monitor.get_params()), repr(monitor._target)]
    assert caught
    assert not [text for text in shown for secret in SECRETS if secret in text]


def test_credentials_stay_when_another_parameter_is_set(server):
    monitor = quick(server.root.replace("://", "://ann:hunter2@"), headers={"X-Token": "yes"})
    monitor.set_params(interval=0.02)
    fit(monitor)
    assert server.seen[0][1]["Authorization"] == f"Basic {SECRETS[2]}"
    assert server.seen[0][1]["X-Token"] == "yes"


@pytest.mark.parametrize(
    "root",
    [
        "localhost:9000",
        "ftp://ann:hunter2@host",
        "http://",
        "http://ann:hunter2@host:port",
        "http://ann:hun/ter2@host",
    ],
)
def test_what_is_no_url_is_refused_without_showing_it(root):
    with pytest.raises(ValueError, match="root must be the URL of a web server") as caught:
        RemoteMonitor(root)
    assert "hun" not in str(caught.value)


@pytest.mark.parametrize(
    "headers", [{"a b": "c"}, {"": "c"}, {"a": "s3cret-token\r\nX: y"}, {"a": 7}]
)
def test_headers_that_http_cannot_send_are_refused_without_their_values(headers):
    with pytest.raises(ValueError, match="HTTP cannot send the header") as caught:
        RemoteMonitor(headers=headers)
    assert "s3cret" not in str(caught.value)


def test_an_impossible_interval_is_refused():
    with pytest.raises(ValueError, match="interval"):
        RemoteMonitor(interval=0)

"""Messages to a real web server and a real mail server."""

import json
import socket
import threading
import warnings
from email import message_from_bytes

import pytest
from schoolbell.callbacks import Notify
from schoolbell.callbacks.remote import notify_feed
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

from .test_remote_monitor import Server

pytest.importorskip("apprise", reason="apprise is not installed")


class Search(Stage):
    def __init__(self, rounds=3, ending=None):
        self.rounds, self.ending = rounds, ending

    def run(self, state, budget):
        for step in range(self.rounds):
            state.offer(step, 100 - step, 0 if step else 1)
            yield Batch(step + 1, self.rounds)
        if self.ending is not None:
            raise self.ending


@pytest.fixture
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def promptly(monkeypatch):
    monkeypatch.setattr(notify_feed, "_SEND_SECONDS", 0.01)
    monkeypatch.setattr(notify_feed, "_RETRY_SECONDS", 0.01)


def webhook(server, path="up"):
    return f"json://ann:hunter2@127.0.0.1:{server.port}/{path}"


def fit(notify, stage=None, **options):
    return Pipeline([stage or Search()]).fit(
        callbacks=notify, verbose=False, job_id="monday", **options
    )


def messages(server):
    return [(one["title"], one["message"]) for one in server.events]


def test_a_webhook_is_told_of_the_end(server):
    fit(Notify(webhook(server)))
    ((title, body),) = messages(server)
    assert title == "monday: finished"
    assert body.startswith("finished\ncost 98, violations 0 after ")


def test_a_mail_is_sent_at_the_end():
    controller = pytest.importorskip("aiosmtpd.controller", reason="aiosmtpd is not installed")
    came = []

    class Box:
        async def handle_DATA(self, server, session, envelope):
            came.append(envelope)
            return "250 OK"

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    mail = controller.Controller(Box(), "127.0.0.1", port)
    mail.start()
    try:
        url = f"mailto://127.0.0.1:{port}?from=run@example.org&to=ann@example.org&mode=insecure"
        fit(Notify(url))
    finally:
        mail.stop()
    (envelope,) = came
    assert envelope.rcpt_tos == ["ann@example.org"]
    message = message_from_bytes(envelope.content)
    assert message["Subject"] == "monday: finished"


def test_a_failure_is_told_alone_where_only_that_is_wanted(server):
    notify = Notify(webhook(server), on="failure")
    fit(notify)
    assert not server.seen
    with pytest.raises(ZeroDivisionError):
        fit(notify, Search(ending=ZeroDivisionError("http://ann:hunter2@host is away")))
    ((title, body),) = messages(server)
    assert title == "monday: failed: ZeroDivisionError: http://***@host is away"
    assert "hunter2" not in body


def test_a_target_is_told_once_and_only_without_violations(server):
    fit(Notify(webhook(server), on=["target"], target=100), Search(10))
    assert [title for title, _ in messages(server)] == ["monday: reached cost 99, violations 0"]


def test_what_is_not_taken_is_sent_again_to_those_alone_that_did_not_take_it(server):
    other = Server(answer=503)

    def recover():
        other.wait_for(lambda one: len(one.seen) >= 2)
        other.answer = 200

    threading.Thread(target=recover, daemon=True).start()
    with pytest.warns(RuntimeWarning) as caught:
        fit(
            Notify([webhook(server), webhook(other)], on=["target", "end"], target=99), Waits(other)
        )
    other.wait_for(lambda one: len(one.events) == 2)
    assert len(messages(server)) == len(messages(other)) == 2
    other.close()
    texts = [str(one.message) for one in caught]
    assert texts == [f"notifying failed: ConnectionError: {KIND} did not take the message; {AGAIN}"]


KIND, AGAIN = "json://***", "trying again"


class Waits(Search):
    """Ends when a server has been asked for the second time."""

    def __init__(self, server):
        super().__init__()
        self.server = server

    def run(self, state, budget):
        yield from super().run(state, budget)
        self.server.wait_for(lambda one: len(one.seen) >= 2)


def test_no_url_is_ever_shown(server, capfd, caplog):
    server.answer = 401
    notify = Notify(webhook(server))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        notify_feed.NotifyFeed.last_seconds, before = 0.0, notify_feed.NotifyFeed.last_seconds
        try:
            run = fit(notify)
        finally:
            notify_feed.NotifyFeed.last_seconds = before
    shown = [*map(str, (one.message for one in caught)), *capfd.readouterr()]
    shown += [repr(notify), str(notify.get_params()), json.dumps(run.config["callbacks"])]
    assert caught
    assert not [text for text in shown if "hunter2" in text]
    assert notify.set_params(on="failure")._urls == (webhook(server),)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"urls": "nowhere://ann:hunter2@host"}, r"urls\[0\] \(nowhere://\*\*\*\) must be the URL"),
        ({"urls": ["json://host", 7]}, r"urls\[1\] \(int\) must be the URL"),
        ({"urls": []}, "urls must be the URL of a service"),
        ({"urls": "json://host", "on": "start"}, "on must be"),
        ({"urls": "json://host", "on": "target"}, "target must be given with"),
        ({"urls": "json://host", "target": 3}, "target must be given with"),
    ],
)
def test_an_impossible_argument_is_refused_without_a_secret(options, words):
    with pytest.raises(ValueError, match=words) as caught:
        Notify(**options)
    assert "hunter2" not in str(caught.value)

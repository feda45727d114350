"""What those are told who watch a job, however many they are."""

import asyncio
import ssl
import threading
from dataclasses import replace

import pytest
from schoolbell.callbacks.remote.job_keys import JobKeys
from schoolbell.callbacks.remote.redis_connection import connect
from schoolbell.runner.service import Client, Settings
from schoolbell.runner.service.jobs.job_request import JobRequest
from schoolbell.runner.service.jobs.job_state import describe
from schoolbell.runner.service.jobs.job_store import JobStore
from schoolbell.runner.service.web import feed_reader, job_feed
from schoolbell.runner.service.web.event_stream import event_stream, job_events
from schoolbell.runner.service.web.job_feeds import JobFeeds

SNAPSHOT = {"event": "snapshot", "progress": "0.5", "stage": "sums"}


@pytest.fixture
def settings(redis_server, tmp_path):
    return Settings(tmp_path, redis_server.url)


@pytest.fixture
def job(settings):
    return JobStore(settings.folder).add(JobRequest(), b"", "anne")[0]


@pytest.fixture
def client(settings):
    with connect(settings.redis) as client:
        yield client


def tell(client, settings, job, *numbers):
    """Add events as a run does; return their ids."""
    keys = JobKeys(job.id, settings.prefix)
    client.hset(keys.snapshot, mapping={"status": "running", "started_at": "5"})
    return [client.xadd(keys.events, {**SNAPSHOT, "seq": str(number)}) for number in numbers]


async def watch(feeds, job, last_id=None, ready=None):
    """Watch a job to its end; return the numbers of its events."""
    numbers = []
    async for told in job_events(feeds, job, last_id):
        if told.identity is not None:
            numbers.append(told.values["seq"])
        if ready is not None and told.event == "job":
            ready.set()
    return numbers


def test_many_who_watch_a_job_cost_the_server_as_much_as_one(settings, job, client):
    tell(client, settings, job, 1)
    feeds = JobFeeds(settings, threading.Event())

    def reads():
        return client.info("commandstats").get("cmdstat_hgetall", {"calls": 0})["calls"]

    async def crowd():
        ready = [asyncio.Event() for _ in range(30)]
        found = [asyncio.create_task(watch(feeds, job, None, one)) for one in ready]
        for one in ready:
            await one.wait()
        before = reads()
        tell(client, settings, job, 2, 3)
        job.finish({"status": "finished"})
        return await asyncio.gather(*found), reads() - before

    found, count = asyncio.run(crowd())
    assert found == [[1, 2, 3]] * 30
    assert count < 10


def test_one_question_to_the_server_is_about_all_jobs(settings, client):
    store = JobStore(settings.folder)
    jobs = [store.add(JobRequest(), b"", "anne")[0] for _ in range(10)]
    for one in jobs:
        tell(client, settings, one, 1)
    feeds = JobFeeds(settings, threading.Event())

    def reads():
        return client.info("commandstats").get("cmdstat_xread", {"calls": 0})["calls"]

    async def crowd():
        ready = [asyncio.Event() for _ in jobs]
        found = [
            asyncio.create_task(watch(feeds, job, None, one))
            for job, one in zip(jobs, ready, strict=True)
        ]
        for one in ready:
            await one.wait()
        before = reads()
        for job in jobs:
            tell(client, settings, job, 2)
            job.finish({"status": "finished"})
        return await asyncio.gather(*found), reads() - before

    found, count = asyncio.run(crowd())
    assert found == [[1, 2]] * 10
    assert count < 10


async def watch_both(settings, job, other):
    feeds = JobFeeds(settings, threading.Event())
    found = watch(feeds, job), watch(feeds, other)
    return await asyncio.gather(*found, return_exceptions=True)


def test_what_is_wrong_with_a_job_is_told_to_those_who_watch_it_alone(
    settings, job, client, monkeypatch
):
    other = JobStore(settings.folder).add(JobRequest(), b"", "anne")[0]
    tell(client, settings, other, 1)
    other.finish({"status": "finished"})

    def describe_or_fail(one, *about):
        if one.id == job.id:
            raise ValueError("it makes no sense")
        return describe(one, *about)

    monkeypatch.setattr(feed_reader, "describe", describe_or_fail)
    failure, numbers = asyncio.run(watch_both(settings, job, other))
    assert str(failure) == "it makes no sense" and numbers == [1]


def test_what_a_run_has_told_wrongly_is_told_to_those_who_watch_it_alone(
    settings, job, client, monkeypatch
):
    other = JobStore(settings.folder).add(JobRequest(), b"", "anne")[0]
    for one, number in ((job, 7), (other, 1)):
        tell(client, settings, one, number)
        one.finish({"status": "finished"})
    read_event = job_feed.read_event

    def read_or_fail(identity, told, texts):
        if told["seq"] == "7":
            raise ValueError("it makes no sense")
        return read_event(identity, told, texts)

    monkeypatch.setattr(job_feed, "read_event", read_or_fail)
    failure, numbers = asyncio.run(watch_both(settings, job, other))
    assert str(failure) == "it makes no sense" and numbers == [1]


def test_what_happens_at_one_time_comes_in_one_piece(settings, job, client):
    tell(client, settings, job, 1)
    job.finish({"status": "finished"})
    feeds = JobFeeds(settings, threading.Event())

    async def pieces():
        return [one async for one in event_stream(feeds, job, None)]

    first, last = asyncio.run(pieces())
    assert [line for line in first.split(b"\n") if line.startswith(b"event")] == [
        b"event: snapshot",
        b"event: job",
    ]
    assert last.startswith(b"event: end\n") and last.endswith(b"\n\n")


def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(settings, job, client):
    first, *_ = tell(client, settings, job, 1, 2, 3)
    feeds = JobFeeds(settings, threading.Event())

    async def two():
        ready, back = asyncio.Event(), asyncio.Event()
        there = asyncio.create_task(watch(feeds, job, None, ready))
        await ready.wait()
        late = asyncio.create_task(watch(feeds, job, first, back))
        await back.wait()
        tell(client, settings, job, 4)
        job.finish({"status": "finished"})
        return await there, await late

    assert asyncio.run(two()) == ([3, 4], [2, 3, 4])


@pytest.mark.parametrize("before", [[1], []])
def test_who_is_slow_is_told_everything_all_the_same(settings, job, client, monkeypatch, before):
    monkeypatch.setattr(job_feed, "_KEPT_EVENTS", 3)
    tell(client, settings, job, *before)
    feeds = JobFeeds(settings, threading.Event())

    async def dawdle():
        numbers, quick = [], None
        async for told in job_events(feeds, job, None):
            if told.identity is not None:
                numbers.append(told.values["seq"])
            if quick is None:
                ready = asyncio.Event()
                quick = asyncio.create_task(watch(feeds, job, None, ready))
                await ready.wait()
                tell(client, settings, job, *range(2, 12))
                job.finish({"status": "finished"})
                await quick
        return numbers

    assert asyncio.run(dawdle()) == [*before, *range(2, 12)]


def test_a_silent_stream_says_that_it_is_there(settings, job, monkeypatch):
    monkeypatch.setattr(job_feed, "_SILENCE_SECONDS", 0.01)
    feeds = JobFeeds(settings, threading.Event())

    async def first_words():
        words = event_stream(feeds, job, None)
        return [await anext(words) for _ in range(2)]

    first, second = asyncio.run(first_words())
    assert first.startswith(b"event: job\ndata: {") and second == b": ping\n\n"


def test_a_feed_ends_with_the_last_who_watches(settings, job, client):
    tell(client, settings, job, 1)
    feeds = JobFeeds(settings, threading.Event())

    async def leave():
        ready = asyncio.Event()
        task = asyncio.create_task(watch(feeds, job, None, ready))
        await ready.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(0)
        return [one for one in asyncio.all_tasks() if one is not asyncio.current_task()]

    left = asyncio.run(leave())
    assert all(one.cancelling() for one in left)
    assert feeds._readers == {}


def test_the_end_is_told_while_the_server_is_away(settings, job):
    job.finish({"status": "finished", "why": "finished"})
    away = replace(settings, redis="unix:///nowhere/redis.sock")
    feeds = JobFeeds(away, threading.Event())

    async def events(last_id):
        return [told.event async for told in job_events(feeds, job, last_id)]

    assert asyncio.run(events(None)) == ["end"]
    assert asyncio.run(events("5-1")) == ["end"]


def test_the_certificates_are_read_once_for_all_clients(monkeypatch):
    clients = [Client("https://localhost:1") for _ in range(2)]
    monkeypatch.setattr(ssl, "create_default_context", lambda *_, **__: pytest.fail("read again"))

    async def watch_all():
        for client in clients:
            with pytest.raises(Exception, match="cannot reach"):
                async for _ in client.awatch("20260101-000000-000000000000", patience=0):
                    pass

    asyncio.run(watch_all())
    Client("https://localhost:1").close()

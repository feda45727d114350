"""Threads that hold up nobody's end."""

import subprocess
import sys
import textwrap
import threading
from concurrent.futures import CancelledError, wait

import pytest
from schoolbell.stages.tasks.daemon_pool import DaemonPool, busy_threads


@pytest.fixture
def release():
    """What tasks wait for; set at the end, so that their threads end."""
    event = threading.Event()
    yield event
    event.set()


def test_it_calls_functions_and_keeps_what_they_return_or_raise():
    with DaemonPool(2) as pool:
        assert pool.submit(divmod, 7, 2).result(10) == (3, 1)
        assert pool.submit(sorted, [1, 2], reverse=True).result(10) == [2, 1]
        assert list(pool.map(abs, [-1, -2, -3])) == [1, 2, 3]
        assert isinstance(pool.submit(divmod, 1, 0).exception(10), ZeroDivisionError)
    assert not pool.busy


def test_as_many_tasks_run_at_once_as_there_are_workers_and_no_more():
    with DaemonPool(3) as pool:
        assert not pool.busy
        barrier = threading.Barrier(3, timeout=10)
        futures = [pool.submit(barrier.wait) for _ in range(3)]
        assert sorted(future.result(10) for future in futures) == [0, 1, 2]
        assert len(pool.busy) == 3
        threads = {pool.submit(threading.current_thread).result(10) for _ in range(20)}
        assert threads <= set(pool.busy)
        assert len(pool.busy) == 3


def test_what_has_not_begun_can_be_cancelled(release):
    pool, begun = DaemonPool(1), threading.Event()

    def work():
        begun.set()
        return release.wait(10)

    running, first, second = pool.submit(work), pool.submit(len, ""), pool.submit(len, "")
    assert begun.wait(10)
    assert first.cancel()
    pool.shutdown(wait=False, cancel_futures=True)
    with pytest.raises(CancelledError):
        second.result(10)
    assert not running.done()
    release.set()
    assert running.result(10)


def test_what_waits_is_done_before_a_shutdown_that_cancels_nothing(release):
    pool = DaemonPool(1)
    futures = [pool.submit(release.wait, 10), pool.submit(len, "ab")]
    pool.shutdown(wait=False)
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(len, "")
    assert pool.busy[0] in busy_threads()
    release.set()
    pool.shutdown()
    assert wait(futures, 10).not_done == set()
    assert not pool.busy


STAGE = """
    import asyncio, time
    from schoolbell.runner import Pipeline
    from schoolbell.stages import Batch, MapBatches, Stage
    from schoolbell.stages.tasks.waiting import run_aside

    class Aside(Stage):
        def run(self, state, budget):
            yield from run_aside(time.sleep, 600)

    class Stuck(Stage):
        def run(self, state, budget):
            yield Batch(1, 2)
            time.sleep(600)
            yield Batch(2, 2)
"""
ENDS = {
    "a task of MapBatches": """
        stage = MapBatches(lambda batch: time.sleep(600), range(3))
        Pipeline([stage]).fit(time_limit=0.1, verbose=False)
    """,
    "work aside": "Pipeline([Aside()]).fit(time_limit=0.1, verbose=False)",
    "a run in asyncio whose loop is given up": """
        loop = asyncio.new_event_loop()
        task = loop.create_task(Pipeline([Stuck()]).afit(verbose=False))
        loop.run_until_complete(asyncio.sleep(0.1))
        loop.close()
        task._log_destroy_pending = False
    """,
}


@pytest.mark.parametrize("work", ENDS.values(), ids=ENDS)
def test_a_task_that_nobody_waits_for_does_not_hold_up_the_end_of_the_process(work):
    script = textwrap.dedent(STAGE) + textwrap.dedent(work) + "\nprint('over')"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("over\n", "", 0)

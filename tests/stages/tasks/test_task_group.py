"""Tasks in threads and in other processes, and how they end with their group."""

import contextvars
import os
import signal
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from schoolbell.stages import Task
from schoolbell.stages.tasks import far_call
from schoolbell.stages.tasks.far_call import Sender, place_of, run_there, this_process
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.tasks.task_group import TaskGroup


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        yield executor


def result_of(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def begin(path):
    Path(path).write_text(str(os.getpid()))


def sleep(path):
    begin(path)
    try:
        time.sleep(60)
    finally:
        Path(path).with_suffix(".ended").touch()


def spin(path):
    begin(path)
    while True:
        pass


def heed(path, flag):
    begin(path)
    while not flag.is_set:
        time.sleep(0.01)
    Path(path).with_suffix(".heard").touch()


def survive(path, go_on):
    begin(path)
    while not Path(go_on).exists():
        time.sleep(0.01)
    return "survived"


def wait_for(path):
    deadline = time.monotonic() + 30
    while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return int(path.read_text())


def test_it_is_known_whether_the_workers_are_in_other_processes(processes):
    with ThreadPoolExecutor(1) as threads:
        assert not result_of(TaskGroup(threads).runs_elsewhere())
    assert result_of(TaskGroup(processes).runs_elsewhere())

    class AtOnce(Executor):
        def submit(self, function, /, *arguments, **more):
            future = Future()
            future.set_result(function(*arguments, **more))
            return future

    assert not result_of(TaskGroup(AtOnce()).runs_elsewhere())


def test_what_is_not_worth_being_sent_is_done_here(processes):
    group = TaskGroup(processes)
    assert result_of(group.wait(this_process, seconds=0.1)) == this_process()
    assert result_of(group.wait(this_process, seconds=2.0)) != this_process()
    group.close()


@pytest.mark.parametrize("function", [sleep, spin])
def test_python_that_nobody_waits_for_is_broken_off_and_its_worker_lives(
    processes, tmp_path, function
):
    group = TaskGroup(processes)
    future = group.submit(function, str(tmp_path / "begun"))
    worker = wait_for(tmp_path / "begun")
    group.close()
    assert future.result(timeout=20) is None
    assert processes.submit(os.getpid).result(timeout=20) == worker
    assert (tmp_path / "begun.ended").exists() == (function is sleep)


def test_a_flag_is_set_in_another_process_when_the_group_is_closed(processes, tmp_path):
    group = TaskGroup(processes)
    future = group.submit(heed, str(tmp_path / "begun"), StopFlag())
    wait_for(tmp_path / "begun")
    group.close()
    future.result(timeout=20)
    assert (tmp_path / "begun.heard").exists()


@pytest.mark.skipif(not hasattr(os, "kill") or os.name == "nt", reason="of POSIX")
def test_ctrl_c_is_left_to_the_process_of_the_run(processes, tmp_path):
    group = TaskGroup(processes)
    future = group.submit(survive, str(tmp_path / "begun"), str(tmp_path / "go_on"))
    os.kill(wait_for(tmp_path / "begun"), signal.SIGINT)
    (tmp_path / "go_on").touch()
    assert future.result(timeout=20) == "survived"
    group.close()


def test_a_task_on_another_machine_is_none_of_the_folder_s_affair(monkeypatch):
    # Here the handler of Ctrl-C is pytest's affair.
    monkeypatch.setattr(far_call, "_leave_ctrl_c", lambda *where: None)
    group = TaskGroup(ThreadPoolExecutor(1))
    sent = []
    group.executor = type(
        "Far", (), {"submit": lambda self, *what: sent.append(what) or Future()}
    )()
    group.submit(partial(int, "3"))
    function, sender, *arguments = sent[0]
    group.close()
    # As in another process: on this machine, where nobody waits any more, and on another one.
    elsewhere = sender._replace(process=("another", 0))
    assert function(elsewhere, *arguments) is None
    assert function(elsewhere._replace(place=("host", 1, 2)), *arguments) == 3


def test_a_thread_of_another_process_is_free_though_no_exception_reaches_its_task(tmp_path):
    group = TaskGroup(ThreadPoolExecutor(1))
    here = group.folder
    sender = Sender(("another", 0), ("another", 0), str(here), place_of(here), "mark")
    go_on = threading.Event()

    def wait(path, event):
        begin(path)
        event.wait(60)
        return "late"

    with ThreadPoolExecutor(1) as worker:
        future = worker.submit(run_there, sender, wait, (str(tmp_path / "begun"), go_on))
        wait_for(tmp_path / "begun")
        group.close()
        assert future.result(timeout=20) is None
    go_on.set()


def test_a_task_in_a_thread_of_another_process_sees_what_belongs_to_its_context():
    group = TaskGroup(ThreadPoolExecutor(1))
    here = group.folder
    sender = Sender(("another", 0), ("another", 0), str(here), place_of(here), "mark")
    variable = contextvars.ContextVar("variable")

    def call():
        variable.set("of the worker")
        return run_there(sender, variable.get, ())

    with ThreadPoolExecutor(1) as worker:
        assert worker.submit(call).result() == "of the worker"
    group.close()


def test_a_task_can_be_waited_for_on_any_executor():
    class Unhashable(ThreadPoolExecutor):
        __hash__ = None

    for kind in (ThreadPoolExecutor, Unhashable):
        with kind(1) as executor:
            assert result_of(Task(max, (3, 5)).wait(executor)) == 5

"""Batch processing as a stage."""

import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from schoolbell.callbacks import BackupAndRestore, LambdaCallback
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Budget, MapBatches, Pulse, State


def fit(stage, **options):
    return Pipeline([stage]).fit(verbose=False, **options)


@pytest.mark.parametrize("workers", [1, 4])
def test_results_come_in_the_order_of_the_items(workers):
    run = fit(MapBatches(sum, range(10), batch_size=4), workers=workers)
    assert run.state.results == [6, 22, 17]
    assert run.history["done"] == [1, 2, 3]
    assert run.history["total"] == [3, 3, 3]


def test_items_can_be_arrays_iterators_or_made_of_the_state():
    assert fit(MapBatches(np.mean, np.arange(6.0), batch_size=3)).state.results == [1, 4]
    assert fit(MapBatches(list, iter("abc"), batch_size=2)).state.results == [["a", "b"], ["c"]]
    stage = MapBatches(len, lambda state: state.problem, batch_size=2, result="lengths")
    assert Pipeline([stage]).fit([1, 2, 3], verbose=False).state.lengths == [2, 1]


def test_no_items_make_no_batches():
    run = fit(MapBatches(sum, []))
    assert (run.state.results, run.status, len(run.history)) == ([], "finished", 0)


def test_it_runs_on_processes():
    with ProcessPoolExecutor(1) as executor:
        run = fit(MapBatches(sum, range(4), batch_size=2), executor=executor)
    assert run.state.results == [1, 5]


def test_batches_run_at_once():
    barrier = threading.Barrier(2, timeout=10)
    run = fit(MapBatches(lambda batch: barrier.wait() >= 0, range(2)), workers=2)
    assert run.state.results == [True, True]


def test_only_a_few_batches_wait_on_the_executor():
    begun, most = [], []

    def work(batch):
        begun.append(batch[0])

    stage = MapBatches(work, range(100))
    callback = LambdaCallback(on_batch_end=lambda batch, logs: most.append(len(begun) - batch))
    fit(stage, workers=2, callbacks=callback)
    assert max(most) <= 5


def test_an_error_of_the_function_names_the_batch_and_ends_the_run():
    begun = []

    def work(batch):
        begun.append(batch[0])
        if batch[0] == 3:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fit(MapBatches(work, range(1000)), workers=1)
    assert "in batch 3 of the items" in caught.value.__notes__
    assert len(begun) < 10


def test_a_long_batch_does_not_hold_up_a_stop():
    begun, release = threading.Event(), threading.Event()

    def work(batch):
        begun.set()
        release.wait()

    pipeline = Pipeline([MapBatches(work, range(3))])
    thread = threading.Thread(target=pipeline.fit, kwargs={"verbose": False, "workers": 1})
    thread.start()
    assert begun.wait(10)
    pipeline.stop()
    # The task ends later, if at all.
    thread.join(30)
    assert not thread.is_alive()
    release.set()
    assert pipeline.run is not None
    assert (pipeline.run.status, pipeline.run.state.results) == ("stopped", [None] * 3)


def test_impossible_arguments_are_refused():
    with pytest.raises(ValueError, match="batch_size must be 1 or more"):
        MapBatches(sum, [], batch_size=0)
    with pytest.raises(TypeError, match="function must be callable"):
        MapBatches("sum", [])  # type: ignore[arg-type]


def test_parameters_can_be_read_and_set():
    stage = MapBatches(sum, range(10), batch_size=4, name="sums")
    assert stage.get_params()["name"] == "sums"
    run = fit(stage.set_params(batch_size=5))
    assert run.state.results == [10, 35]


def quarters(batch):
    """Tell of each quarter of a batch, and wait until that has been noticed."""
    for part in (0.25, 0.5, 0.75, 1.0):
        yield part
        time.sleep(0.15)
    return sum(batch)


def pulses_of(stage, executor, workers=1):
    state = State(None, seed=0, executor=executor, workers=workers)
    stream = list(stage.run(state, Budget()))
    parts, units = [], []
    for item in stream:
        if isinstance(item, Batch):
            units.append(parts)
            parts = []
        elif item is not None:
            parts.append(item.part)
    return state.results, units


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_a_function_that_yields_tells_how_much_of_its_batch_is_done(kind):
    with kind(1) as executor:
        results, units = pulses_of(MapBatches(quarters, range(6), batch_size=2), executor)
    assert results == [1, 5, 9]
    assert {0.25, 0.5, 0.75} <= set(units[0])
    for parts in units:
        assert parts == sorted(parts)
        assert len(set(parts)) >= 3


def test_a_batch_that_was_begun_before_the_last_one_ended_tells_from_there_on():
    first, second = threading.Event(), threading.Event()

    def work(batch):
        own, other = (first, second) if batch[0] == 0 else (second, first)
        yield 0.5
        if batch[0] == 0:
            assert other.wait(10)
            return None
        own.set()
        # The other one ends while half of this one is done.
        time.sleep(0.3)
        yield 0.75
        time.sleep(0.3)
        return None

    with ThreadPoolExecutor(2) as executor:
        _, units = pulses_of(MapBatches(work, range(2)), executor, workers=2)
    assert set(units[1]) == {0.0, 0.5}


def test_parts_may_be_pulses_and_nothing_may_be_told():
    def work(batch):
        yield Pulse(0.5)
        yield None
        time.sleep(0.25)
        return batch

    with ThreadPoolExecutor(1) as executor:
        results, units = pulses_of(MapBatches(work, range(1)), executor)
    assert results == [range(1)]
    assert 0.5 in units[0]


def test_a_part_that_is_none_is_refused_with_the_batch():
    def work(batch):
        yield 1.5

    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match=r"0 to 1.*1\.5") as e:
        pulses_of(MapBatches(work, range(1)), executor)
    assert "in batch 0 of the items" in e.value.__notes__


def test_a_function_that_yields_ends_with_the_stage():
    ended, begun = threading.Event(), threading.Event()

    def work(batch):
        try:
            while True:
                begun.set()
                yield None
                time.sleep(0.01)
        finally:
            ended.set()

    with ThreadPoolExecutor(1) as executor:
        state = State(None, seed=0, executor=executor, workers=1)
        stream = MapBatches(work, range(3)).run(state, Budget())
        next(stream)
        assert begun.wait(10)
        stream.close()
        assert ended.wait(10)


def test_items_are_read_as_they_are_needed_and_every_run_has_them():
    read = []

    def items():
        for number in range(20):
            read.append(number)
            yield number

    ahead = []
    note = LambdaCallback(on_batch_end=lambda batch, logs: ahead.append(len(read) - batch))
    stage = MapBatches(sum, items(), batch_size=1)
    first = fit(stage, workers=1, callbacks=note)
    assert max(ahead) <= 5
    assert first.history["total"][0] is None
    assert first.history["total"][-1] == 20
    assert fit(stage).state.results == first.state.results == list(range(20))
    made = MapBatches(sum, lambda state: (x for x in range(4)), batch_size=3)
    assert fit(made).state.results == [3, 3]


def test_results_can_be_solutions_and_have_metrics():
    def work(batch):
        return {"loss": abs(batch[0] - 2), "x": batch[0]}

    run = fit(MapBatches(work, range(4), cost="loss", metrics=("x",)), workers=1)
    assert (run.cost, run.solution) == (0, {"loss": 0, "x": 2})
    assert sorted(run.history["x"]) == [0, 1, 2, 3]
    run = fit(MapBatches(sum, range(4), cost=lambda result: None if result == 0 else result))
    assert (run.cost, run.solution) == (1, 1)


def test_batches_that_fail_may_be_skipped_and_are_listed():
    stage = MapBatches(lambda batch: 1 / batch[0], [1, 0, 2, 0], on_error="skip")
    with pytest.warns(RuntimeWarning, match="is skipped: ZeroDivisionError") as warned:
        run = fit(stage, workers=1)
    assert run.state.results == [1, None, 0.5, None]
    assert [number for number, _ in stage.skipped] == [1, 3]
    assert len(warned) == 1
    assert run.history["done"] == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="on_error must be"):
        MapBatches(sum, [], on_error="ignore")


def test_batches_that_were_done_are_not_done_again_after_a_kill(tmp_path):
    begun = []

    def work(batch):
        begun.append(batch[0])
        return batch[0] * 2

    def resumable():
        return MapBatches(work, range(8), cost=lambda result: -result)

    def die(batch, logs):
        if batch == 4:
            raise ZeroDivisionError

    backup = {"save_freq": 1, "interval": None}
    with pytest.raises(Exception, match="LambdaCallback"):
        fit(
            resumable(),
            workers=1,
            callbacks=[BackupAndRestore(tmp_path, **backup), LambdaCallback(on_batch_end=die)],
        )
    before, begun[:] = set(begun), []
    run = fit(resumable(), workers=1, callbacks=BackupAndRestore(tmp_path, **backup))
    assert run.state.results == [2 * x for x in range(8)]
    assert run.history["done"] == list(range(1, 9))
    assert not {0, 1, 2} & set(begun)
    assert before | set(begun) == set(range(8))


def test_equal_calls_are_told_apart():
    seen = []

    class Noting(ThreadPoolExecutor):
        def submit(self, function, /, *arguments, **more):
            seen.append(repr(arguments))
            return super().submit(function, *arguments, **more)

    with Noting(1) as executor:
        for _ in range(2):
            fit(MapBatches(sum, [3, 3, 3]), executor=executor)
    assert len(set(seen)) == 6


def test_there_are_as_many_workers_as_the_executor_tells():
    with ThreadPoolExecutor(3) as executor:
        assert fit(MapBatches(sum, [1]), executor=executor).state.workers == 3
        assert fit(MapBatches(sum, [1]), executor=executor, workers=2).state.workers == 2

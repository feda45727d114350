"""Files with the best solution so far, also when the process is killed or the disk is full."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from schoolbell.callbacks import CallbackError, SolutionCheckpoint
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Text(str):
    """A solution that is a text."""

    def write(self, path):
        Path(path).write_text(self)


class Finder(Stage):
    """Offers a solution in each batch: cost, violations and how fast it was found."""

    metrics = ("speed",)

    def __init__(self, *best, name="finder"):
        self.best, self.name = best, name

    def run(self, state, budget):
        for i, (cost, violations, speed) in enumerate(self.best):
            state.offer(Text(f"{cost} {violations}"), cost, violations)
            yield Batch(i + 1, len(self.best), {"speed": speed})


def fit(callback, *stages):
    Pipeline(stages).fit(callbacks=callback, verbose=False)


def files(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


BEST = [(30, 1, 1.0), (50, 0, 5.0), (60, 0, 2.0), (40, 0, 3.0)]


def test_every_new_best_goes_into_a_file_of_its_own_name(tmp_path):
    callback = SolutionCheckpoint(tmp_path / "deep" / "{stage}-{batch:02d}-{cost}-{violations}.sol")
    fit(callback, Finder(*BEST))
    assert files(tmp_path / "deep") == {
        "finder-00-30-1.sol": "30 1", "finder-01-50-0.sol": "50 0", "finder-03-40-0.sol": "40 0",
    }  # fmt: skip
    assert callback.written == tmp_path / "deep" / "finder-03-40-0.sol"


def test_the_job_id_keeps_two_fits_apart_in_one_folder(tmp_path):
    callback = SolutionCheckpoint(tmp_path / "{job_id}-{cost}.sol")
    for job_id in ("monday", "tuesday"):
        Pipeline([Finder((3, 0, 1.0))]).fit(callbacks=callback, job_id=job_id, verbose=False)
    assert files(tmp_path) == {"monday-3.sol": "3 0", "tuesday-3.sol": "3 0"}


def test_one_name_always_holds_the_newest(tmp_path):
    fit(SolutionCheckpoint(tmp_path / "best.sol"), Finder(*BEST))
    assert files(tmp_path) == {"best.sol": "40 0"}


def test_at_the_end_of_each_stage(tmp_path):
    callback = SolutionCheckpoint(tmp_path / "{stage}-{batch}.sol", save_freq="stage")
    fit(callback, Finder(*BEST[:2], name="a"), Finder(*BEST[2:], name="b"))
    assert files(tmp_path) == {"a-1.sol": "50 0", "b-1.sol": "40 0"}


def test_after_so_many_batches_with_what_the_last_of_them_found(tmp_path):
    callback = SolutionCheckpoint(tmp_path / "{batch}-{cost}.sol", save_freq=2)
    fit(callback, Finder(*BEST))
    assert files(tmp_path) == {"1-50.sol": "50 0", "3-40.sol": "40 0"}


def test_the_best_by_cost_never_gives_up_feasibility(tmp_path):
    callback = SolutionCheckpoint(tmp_path / "{cost}.sol", save_best_only=True, save_freq=1)
    fit(callback, Finder((30, 1, 0), (50, 0, 0), (60, 0, 0)))
    assert files(tmp_path) == {"30.sol": "30 1", "50.sol": "50 0"}


def test_the_best_may_be_told_by_a_metric(tmp_path):
    callback = SolutionCheckpoint(
        tmp_path / "{batch}.sol", "speed", save_best_only=True, mode="max"
    )
    fit(callback, Finder(*BEST))
    assert sorted(files(tmp_path)) == ["0.sol", "1.sol"]
    assert callback.best == 5.0


def test_a_threshold_holds_from_the_first_time_on(tmp_path):
    callback = SolutionCheckpoint(
        tmp_path / "{cost}.sol", save_best_only=True, initial_value_threshold=45
    )
    fit(callback, Finder((50, 0, 0), (40, 0, 0)))
    assert sorted(files(tmp_path)) == ["40.sol"]


def test_a_stage_name_leads_out_of_no_folder(tmp_path):
    fit(SolutionCheckpoint(tmp_path / "{stage}.sol"), Finder(*BEST, name="../../x"))
    assert sorted(files(tmp_path)) == ["..-..-x.sol"]


def test_a_cost_with_a_fraction_fits_a_format_of_whole_numbers(tmp_path):
    fit(SolutionCheckpoint(tmp_path / "{cost:03d}.sol"), Finder((7.6, 0, 0)))
    assert sorted(files(tmp_path)) == ["008.sol"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{epoch}.sol", "{epoch} is not among stage, batch, done, cost"),
        ("{cost.__class__}.sol", "is not among"),
        ("{stage[0]}.sol", "is not among"),
        ("{}.sol", "is not among"),
        ("{cost:{batch}}.sol", "is not among"),
        ("{cost", "cannot be formatted"),
        ("{stage:d}.sol", "cannot be formatted"),
        ("{cost:%Q}.sol", "cannot be formatted"),
        ("folder/", "must name a file"),
        ("", "must name a file"),
        ("..", "must name a file"),
    ],
)
def test_a_name_that_would_fail_is_refused_at_once(template, message):
    with pytest.raises(ValueError, match=message):
        SolutionCheckpoint(template)


@pytest.mark.parametrize("save_freq", ["batch", 0, True, 1.5])
def test_an_impossible_frequency_is_refused(save_freq):
    with pytest.raises(ValueError, match="save_freq must be"):
        SolutionCheckpoint("best.sol", save_freq=save_freq)


def test_a_solution_that_cannot_be_written_says_so(tmp_path):
    class Numbers(Finder):
        def run(self, state, budget):
            state.offer(5, 5, 0)
            yield Batch(1, 1)

    with pytest.raises(CallbackError, match=r"needs a method write\(path\) to be saved, int has"):
        fit(SolutionCheckpoint(tmp_path / "best.sol"), Numbers())


def test_a_full_disk_ends_no_run_and_the_files_follow_when_there_is_room(tmp_path):
    full = True

    class Refused(Text):
        def write(self, path):
            if full:
                raise OSError(28, "No space left on device")
            super().write(path)

    class Patient(Finder):
        def run(self, state, budget):
            nonlocal full
            state.offer(Refused("40 0"), 40, 0)
            yield Batch(1, 2)
            while not warned:
                yield None
            full = False
            yield Batch(2, 2)

    with pytest.warns(RuntimeWarning, match="No space left on device; trying again") as warned:
        fit(SolutionCheckpoint(tmp_path / "best.sol"), Patient())
    assert len(warned) == 1
    assert files(tmp_path) == {"best.sol": "40 0"}


def test_what_a_disk_never_took_is_told_at_the_end(tmp_path):
    (tmp_path / "finder").touch()
    with pytest.warns(RuntimeWarning) as warned:
        fit(SolutionCheckpoint(tmp_path / "{stage}" / "best.sol"), Finder((7, 0, 0)))
    texts = [str(one.message) for one in warned]
    assert len(texts) == 2
    assert texts[1].startswith("1 solutions could not be written, the last of them")


def test_a_recorded_run_has_no_solutions_to_write(tmp_path):
    checkpoint = SolutionCheckpoint(tmp_path / "best.sol")
    checkpoint.on_solution(None, {"batch": 0})
    assert files(tmp_path) == {}


def test_no_file_is_ever_half_written_by_a_killed_process(tmp_path):
    script = f"""
        import itertools
        from schoolbell.callbacks import SolutionCheckpoint
        from schoolbell.runner import Pipeline
        from schoolbell.stages import Batch, Stage
        from schoolbell.stages.files.atomic import write_atomically

        class Big:
            def write(self, path):
                write_atomically(path, "line\\n" * 400_000 + "end")

        class Endless(Stage):
            def run(self, state, budget):
                for i in itertools.count():
                    state.offer(Big(), -i, 0)
                    yield Batch(i + 1)
                    if i == 3:
                        print("now", flush=True)

        path = {str(tmp_path / "best.sol")!r}
        Pipeline([Endless()]).fit(callbacks=SolutionCheckpoint(path), verbose=False)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    while not (tmp_path / "best.sol").exists():
        assert process.poll() is None
    process.kill()
    process.communicate()
    assert (tmp_path / "best.sol").read_text().endswith("end")


def test_a_value_of_nan_takes_no_place_among_the_best(tmp_path):
    nan = float("nan")
    speeds = [(40, 0, nan), (30, 0, 5.0), (20, 0, nan), (10, 0, 4.0), (5, 0, 4.5)]
    callback = SolutionCheckpoint(
        tmp_path / "{cost}.sol", monitor="speed", mode="min", save_best_only=True
    )
    fit(callback, Finder(*speeds))
    # The first, since there was nothing better, then what is better than before.
    assert set(files(tmp_path)) == {"40.sol", "30.sol", "10.sol"}
    assert callback.best == 4.0


@pytest.mark.parametrize("cost", [float("nan"), float("inf")])
def test_a_cost_that_has_no_digits_finds_a_name(tmp_path, cost):
    fit(SolutionCheckpoint(tmp_path / "{cost:03d}.sol"), Finder((cost, 0, 1.0)))
    assert files(tmp_path) == {"000.sol": f"{cost} 0"}

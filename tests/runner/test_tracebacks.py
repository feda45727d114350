"""What a user sees of the package when something of theirs, or a path, is wrong."""

import subprocess
import sys
import traceback
from pathlib import Path

import pytest
import schoolbell.runner
from schoolbell.callbacks import Callback, CallbackError
from schoolbell.runner import Pipeline, replay, timetabling_pipeline
from schoolbell.runner.tracebacks import SWITCH
from schoolbell.stages import Batch, Stage, TrainAgent
from schoolbell.stages.errors import FormatError
from schoolbell.stages.timetable import Instance, Solution, TimetableError, generate
from schoolbell.stages.timetable.search.repairing.repair_agent import load_repair_agent

# The package as it is imported, from the checkout or from a wheel.
PACKAGE = Path(schoolbell.runner.__file__).resolve().parents[1]
FOLDERS = tuple(PACKAGE / name for name in ("callbacks", "stages", "runner"))


@pytest.fixture(autouse=True)
def without_the_switch(monkeypatch, tmp_path):
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.chdir(tmp_path)


class Broken(Stage):
    name = "broken"

    def run(self, state, budget):
        yield Batch(1, 2)
        helper()


def helper():
    return sorted([1, "2"])


class Clumsy(Callback):
    def on_batch_end(self, batch, logs=None):
        raise KeyError("mine")


def own_files(error: BaseException) -> list[str]:
    """Names of the package's modules that a traceback shows, those of causes among them."""
    shown = []
    for one in (error, error.__cause__):
        frames = traceback.extract_tb(None if one is None else one.__traceback__)
        shown += [
            Path(frame.filename).name
            for frame in frames
            if any(Path(frame.filename).is_relative_to(folder) for folder in FOLDERS)
        ]
    return shown


def test_an_exception_in_a_stage_shows_the_stage_and_the_caller():
    with pytest.raises(TypeError) as caught:
        Pipeline([Broken()]).fit(verbose=False)
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[0] == "test_an_exception_in_a_stage_shows_the_stage_and_the_caller"
    assert names[-2:] == ["run", "helper"]
    assert own_files(caught.value) == []
    assert len(traceback.format_exception(caught.value)) < 10


def test_an_exception_in_a_callback_shows_the_hook_and_the_caller():
    class Fine(Broken):
        def run(self, state, budget):
            yield Batch(1, 1)

    with pytest.raises(CallbackError) as caught:
        Pipeline([Fine()]).fit(callbacks=Clumsy(), verbose=False)
    assert own_files(caught.value) == []
    (frame,) = traceback.extract_tb(caught.value.__cause__.__traceback__)
    assert frame.name == "on_batch_end"


def test_the_switch_shows_all_frames(monkeypatch):
    monkeypatch.setenv(SWITCH, "full")
    with pytest.raises(TypeError) as caught:
        Pipeline([Broken()]).fit(verbose=False)
    assert {"pipeline.py", "driver.py", "stage_loop.py"} <= set(own_files(caught.value))


def test_a_fault_of_the_package_shows_where_it_is(monkeypatch):
    source = "def run(self, state, budget):\n    raise IndexError('oops')\n    yield\n"
    names: dict = {}
    exec(compile(source, str(PACKAGE / "stages" / "invented.py"), "exec"), names)
    monkeypatch.setattr(Broken, "run", names["run"])
    with pytest.raises(IndexError) as caught:
        Pipeline([Broken()]).fit(verbose=False)
    assert own_files(caught.value) == ["invented.py"]


@pytest.mark.parametrize(
    "read",
    [
        lambda: Instance.read("absent.ctt"),
        lambda: Solution.read("absent.sol", generate(5)),
        lambda: load_repair_agent("absent.npz"),
        lambda: replay("absent.csv"),
        lambda: timetabling_pipeline().fit("absent.ctt"),
        lambda: timetabling_pipeline().fit(generate(5), initial="absent.sol"),
        lambda: timetabling_pipeline(rl__agent="absent.npz").fit(generate(5)),
        lambda: Pipeline([TrainAgent()]).fit(["absent.ctt"]),
    ],
)
def test_a_missing_file_is_a_file_not_found_error_with_its_name(read):
    with pytest.raises(FileNotFoundError) as caught:
        read()
    assert isinstance(caught.value, FormatError)
    assert "absent." in str(caught.value)
    assert Path(caught.value.filename).name.startswith("absent.")


@pytest.mark.parametrize(
    ("problem", "options", "kind"),
    [
        ("absent.ctt", {}, FileNotFoundError),
        (Path("absent.ctt"), {}, FileNotFoundError),
        (b"absent.ctt", {}, TypeError),
        (None, {}, TimetableError),
        (7, {}, TypeError),
        ("broken.ctt", {}, FormatError),
        (generate(5), {"initial": 7}, TypeError),
        (generate(5), {"initial": Solution(generate(6), [], [], [])}, TimetableError),
    ],
)
def test_what_is_wrong_with_the_problem_is_told_before_any_bar(problem, options, kind, capsys):
    Path("broken.ctt").write_text("Name: x\nCourses: many\n")
    with pytest.raises(kind) as caught:
        timetabling_pipeline().fit(problem, **options)
    assert capsys.readouterr().err == ""
    text = "".join(traceback.format_exception(caught.value))
    assert text.count("\n") < 16, text


def test_a_page_that_cannot_be_written_is_told_before_any_bar(capsys):
    with pytest.raises(FileNotFoundError, match=r"absent/week\.html"):
        timetabling_pipeline(finalize__html="absent/week.html").fit(generate(5))
    assert capsys.readouterr().err == ""


def test_a_file_that_changed_since_a_refused_fit_is_read_again(monkeypatch):
    path = "small.ectt"
    generate(5).write(path)
    pipeline = timetabling_pipeline(
        rl=None, clustering=None, cp_sat=None, ga=None, finalize__html="absent/x.html"
    )
    with pytest.raises(FileNotFoundError):
        pipeline.fit(path)
    generate(7).write(path)
    pipeline.set_params(finalize__html=None)
    run = pipeline.fit(path, verbose=False)
    assert run.state.instance == generate(7)


def test_the_debug_option_shows_all_frames(tmp_path):
    script = "import sys; from schoolbell.runner.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", script, "replay", "absent.csv", "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert "csv_recording.py" in done.stderr

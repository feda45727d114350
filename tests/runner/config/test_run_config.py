"""The file of a run, and a run from such a file."""

import json
import os
import re
from pathlib import Path

import pytest
from schoolbell.callbacks import Callback, EarlyStopping, LambdaCallback
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.runner.cli.main import main
from schoolbell.runner.cli.parameter_list import parameter_list
from schoolbell.runner.config.config_error import ConfigError
from schoolbell.runner.config.config_file import ConfigFile
from schoolbell.runner.config.run_config import RunConfig, digest
from schoolbell.stages import Batch, Load, Stage
from schoolbell.stages.timetable import generate

QUICK = ["--quiet", "--set", "ga.generations=1", "--set", "ga.population=2",
         "--set", "ga.founder_moves=300", "--set", "ga.child_moves=300",
         "--set", "rl.episodes=5", "--set", "cp_sat.rounds=0"]  # fmt: skip


class Steps(Stage):
    def __init__(self, steps=2, rate=0.5, name="steps", table=(1, 2), limit=None, fast=False):
        if steps > 1000:
            raise ValueError(f"steps must be 1,000 or less, got {steps}")
        self.steps, self.rate, self.name = steps, rate, name
        self.table, self.limit, self.fast = table, limit, fast

    def run(self, state, budget):
        for step in range(self.steps):
            yield Batch(step + 1, self.steps)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def instance_file(tmp_path):
    path = tmp_path / "small.ectt"
    generate(20, seed=3).write(path)
    return path


def fit(*arguments):
    """Run the program's `fit`, and return the run's folder."""
    before = set(Path("runs").glob("*"))
    assert main(["fit", *map(str, arguments)]) == 0
    (folder,) = set(Path("runs").glob("*")) - before
    return folder


def config(folder):
    return json.loads((folder / "run.json").read_text())


def test_a_run_is_repeated_from_its_file(instance_file):
    first = fit(instance_file, "--seed", 5, "--workers", 1, *QUICK)
    # Asked from elsewhere, with all defaults.
    second = fit("--config", first / "run.json", "--quiet")
    for name in ("solution.sol", "timetable.csv"):
        assert (first / name).read_text() == (second / name).read_text()
    told, again = config(first), config(second)
    assert told["parameters"]["ga"]["population"] == 2
    assert (told["seed"], told["workers"], told["formulation"]) == (5, 1, "UD2")
    assert told["outcome"]["status"] == "finished"
    for one in (told, again):
        for own in ("job_id", "callbacks", "outcome"):
            del one[own]
        del one["parameters"]["finalize"]
    assert told == again


def test_options_go_before_what_the_file_says(instance_file):
    first = fit(instance_file, *QUICK, "--seed", 5, "--time-limit", 1.5)
    options = ("--seed", 6, "--workers", 2, "--set", "ga.population=3")
    told = config(fit("--config", first / "run.json", "--quiet", *options))
    assert (told["seed"], told["workers"]) == (6, 2)
    assert told["parameters"]["ga"] | {"population": 2} == config(first)["parameters"]["ga"]
    assert told["time_limit"] == 1.5


def test_an_instance_that_has_changed_or_gone_is_refused(instance_file, capsys):
    folder = fit(instance_file, *QUICK)
    instance_file.write_text(instance_file.read_text() + "\n")
    assert main(["fit", "--config", str(folder / "run.json")]) == 2
    assert "has changed since; name an instance" in capsys.readouterr().err
    instance_file.rename("other.ectt")
    assert main(["fit", "--config", str(folder / "run.json")]) == 2
    assert "is not there; name an instance" in capsys.readouterr().err
    fit("other.ectt", "--config", folder / "run.json", "--quiet")
    assert len(list(Path("runs").iterdir())) == 2


def test_no_secret_is_in_the_file_the_summary_or_a_repr(tmp_path):
    class Sender(Callback):
        def __init__(self, url, headers, api_token):
            super().__init__()
            self.url, self.headers, self.api_token = url, headers, api_token

    sender = Sender(
        "redis://user:hunter2@host:6379/0?password=hunter2", {"Authorization": "hunter2"}, "hunter2"
    )
    record = ConfigFile(tmp_path / "run.json", {})
    run = Pipeline([Steps()]).fit(callbacks=[sender, record], verbose=False)
    for text in (Path("run.json").read_text(), run.summary(), repr(sender), json.dumps(run.config)):
        assert "Sender" in text
        assert "host:6379" in text
        assert "hunter2" not in text


def test_a_failed_run_is_told_without_secrets(tmp_path):
    def fail(batch, logs):
        raise RuntimeError("no answer from redis://me:hunter2@host/0")

    pipeline = Pipeline([Steps()])
    callbacks = [ConfigFile(tmp_path / "run.json", {}), LambdaCallback(on_batch_end=fail)]
    with pytest.raises(RuntimeError):
        pipeline.fit(callbacks=callbacks, verbose=False)
    outcome = config(tmp_path)["outcome"]
    assert outcome["status"] == "failed"
    assert "host/0" in outcome["error"]
    assert "hunter2" not in outcome["error"]


def test_the_file_is_there_while_the_run_goes_on(tmp_path):
    seen = []
    look = LambdaCallback(on_batch_end=lambda *_: seen.append(config(tmp_path)["outcome"]))
    Pipeline([Steps()]).fit(callbacks=[ConfigFile(tmp_path / "run.json", {}), look], verbose=False)
    assert seen == [{"status": "running"}] * 2


def test_a_file_that_cannot_be_written_is_warned_of_once_and_ends_no_run(tmp_path):
    (tmp_path / "folder").touch()
    record = ConfigFile(tmp_path / "folder" / "run.json", {})
    with pytest.warns(RuntimeWarning, match=r"run\.json could not be written") as warned:
        run = Pipeline([Steps()]).fit(callbacks=record, verbose=False)
    assert run.status == "finished"
    assert len(warned) == 1


def test_the_summary_tells_the_parameters_of_stages_and_callbacks():
    stopping = EarlyStopping("progress", patience=7)
    run = Pipeline([Steps(rate=0.25)]).fit(callbacks=stopping, seed=9, verbose=False)
    text = re.sub(r"\s+", " ", run.summary())
    assert "steps steps=2, rate=0.25, name='steps', table=[1, 2]" in text
    assert "EarlyStopping monitor='progress', min_delta=0, patience=7" in text
    assert "seed=9" in text
    assert max(map(len, run.summary().splitlines())) <= 100


def written(path, **changes):
    """The file of a run of `Steps`, with changes; None leaves a value out."""
    content = {"format": 1, "seed": 1, "formulation": "UD2", "parameters": {"steps": {}}} | changes
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "format is 2, expected 1: it was written by another version"),
        ({"format": None}, "format is nothing, expected a whole number"),
        ({"seed": -1}, "seed is -1, expected a whole number from 0"),
        ({"seed": 1.5}, "seed is 1.5, expected a whole number"),
        ({"seed": True}, "seed is True, expected a whole number"),
        ({"time_limit": "long"}, "time_limit is 'long', expected a number"),
        ({"time_limit": 0}, r"time_limit is 0, expected a number above 0\.0"),
        ({"workers": 0}, "workers is 0, expected a whole number from 1"),
        ({"formulation": ["UD2"]}, r"formulation is \['UD2'\], expected a text"),
        ({"parameters": []}, r"parameters is \[\], expected an object"),
        ({"parameters": {"steps": 3}}, "parameters of steps is 3, expected an object"),
    ],
)
def test_a_file_with_something_wrong_is_refused_with_what_it_is(tmp_path, changes, message):
    with pytest.raises(ConfigError, match=rf"run\.json: {message}"):
        RunConfig.read(written(tmp_path / "run.json", **changes))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no JSON"),
        (b"[1]", r"found \[1\], expected an object"),
        (b"{" * 100_000, "is no"),
        (b'{"a":' * 100_000, "nested too deep"),
        (b'{"seed": NaN}', "1: is no JSON: invalid character"),
        (b'{"seed": ' + b"9" * 10_000 + b"}", "is no JSON"),
        (b" " * 1_000_001, "too long"),
        (b"\xff\xfe", "UTF-8"),
        (b"\0", "binary data"),
    ],
)
def test_what_is_no_file_of_a_run_is_refused(tmp_path, content, message):
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        RunConfig.read(tmp_path / "run.json")


def test_a_pipe_a_folder_and_a_missing_file_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "absent.json"):
        with pytest.raises(ConfigError):
            RunConfig.read(tmp_path / name)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"ga": {}}, "there is no stage 'ga'; there are steps"),
        ({"steps": {"speed": 3}}, "stage 'steps' has no parameter 'speed'"),
        ({"steps": {"steps": 10**6}}, "steps must be 1,000 or less"),
        ({"steps": {"steps": "2"}}, "steps.steps cannot be '2', it is 2 by default"),
        ({"steps": {"steps": 2.5}}, "steps.steps cannot be 2.5"),
        ({"steps": {"fast": 1}}, "steps.fast cannot be 1"),
        ({"steps": {"table": [1, [2]]}}, "steps.table cannot be"),
        ({"steps": {"rate": {"a": 1}}}, "steps.rate cannot be"),
    ],
)
def test_parameters_that_no_stage_takes_are_refused_and_nothing_is_set(
    tmp_path, parameters, message
):
    stage = Steps()
    before = stage.get_params()
    read = RunConfig.read(written(tmp_path / "run.json", parameters=parameters))
    with pytest.raises(ConfigError, match=message):
        read.apply([stage])
    assert stage.get_params() == before


def test_whole_numbers_lists_and_null_find_their_places(tmp_path):
    stage = Steps(limit=3)
    own = {"rate": 1, "table": [3, 4], "limit": None, "fast": True}
    RunConfig.read(written(tmp_path / "run.json", parameters={"steps": own})).apply([stage])
    assert (stage.rate, stage.table, stage.limit, stage.fast) == (1, [3, 4], None, True)


def test_the_command_tells_what_is_wrong_in_one_line(tmp_path, capsys):
    written(tmp_path / "run.json", parameters={"ga": {"population": 1}})
    generate(20, seed=3).write(tmp_path / "small.ectt")
    assert main(["fit", "small.ectt", "--config", "run.json"]) == 2
    error = capsys.readouterr().err
    assert error == "schoolbell: run.json: population must be at least 2, got 1\n"
    assert not Path("runs").exists()


def test_a_run_describes_itself_for_json():
    run = Pipeline([Steps()]).fit(callbacks=EarlyStopping("progress"), seed=3, verbose=False)
    assert json.loads(json.dumps(run.config, allow_nan=False)) == run.config
    assert run.config["parameters"]["steps"]["steps"] == 2
    assert run.config["callbacks"][0]["name"] == "EarlyStopping"


class Told(Steps):
    """Tells of its problem and one of its parameters, and has one of the run alone."""

    incidental = ("table",)

    def describe(self, problem):
        return {"rate": self.rate} | ({} if problem is None else {"puzzle": str(problem)})


def test_a_stage_tells_of_its_problem_in_the_run_s_file(tmp_path):
    record = ConfigFile(tmp_path / "run.json", {"puzzle": "another name for it"})
    run = Pipeline([Told(), Steps(name="more")]).fit("sudoku", callbacks=record, verbose=False)
    assert (run.config["puzzle"], run.config["rate"]) == ("sudoku", 0.5)
    told = config(tmp_path)
    assert (told["puzzle"], told["rate"]) == ("another name for it", 0.5)


def test_what_a_stage_tells_and_what_is_of_one_run_alone_is_not_set_again(tmp_path):
    path = tmp_path / "run.json"
    before = Told(steps=3, rate=0.25, table=(7, 8))
    Pipeline([before]).fit(callbacks=ConfigFile(path, {}), verbose=False)
    again = Told()
    RunConfig.read(path).apply([again])
    assert (again.steps, again.rate, again.table) == (3, 0.5, (1, 2))
    assert [line.split("=")[0] for line in parameter_list([again]).splitlines()] == [
        f"steps.{name}" for name in ("steps", "name", "limit", "fast")
    ]


def test_a_run_tells_the_digest_of_an_instance_s_file(instance_file, monkeypatch):
    # The search, which takes half a minute to compile for a formulation, has nothing to do.
    monkeypatch.setattr(Load, "compile", lambda stage, state, budget: (beat for beat in ()))
    quick = {"ga": None, "rl": None, "cp_sat": None, "clustering": None}
    run = timetabling_pipeline("UD3", **quick).fit(instance_file, verbose=False)
    assert run.config["formulation"] == "UD3"
    assert run.config["instance"] == str(instance_file)
    assert run.config["instance_sha256"] == digest(instance_file)

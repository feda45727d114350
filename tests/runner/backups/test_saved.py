"""What a stage names as `saved`: kept by backups, set back at a resume, reset at a new fit."""

import copy
import dataclasses
import enum
import random
import threading
import warnings
from collections import deque, namedtuple

import numpy as np
import pytest
from schoolbell.callbacks import BackupAndRestore, Callback
from schoolbell.runner import BackupError, Pipeline
from schoolbell.runner.backups.encoding import UnsavableError, decode, encode
from schoolbell.stages import Batch, Stage

Pair = namedtuple("Pair", ["left", "right"])


class Kind(enum.Enum):
    GOOD = 1
    BAD = 2


@dataclasses.dataclass
class Individual:
    genes: np.ndarray
    cost: float
    kind: Kind = Kind.GOOD
    parents: tuple = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Move:
    rooms: tuple
    worth: float


class Tool:
    def __init__(self, size):
        self.size = size


class Evolve(Stage):
    """Draws from several generators, and goes on from what it finds in its attributes."""

    name = "evolve"
    saved = ("generation", "population", "rng", "twister", "dice", "moves")

    def __init__(self, generations=8):
        self.generations = generations
        self.generation = 0
        self.population = [Individual(np.zeros(3), 0.0)]
        self.rng = np.random.default_rng(5)
        self.twister = np.random.RandomState(6)
        self.dice = random.Random(7)
        self.moves = {"tabu": deque(maxlen=3), "best": None}

    def run(self, state, budget):
        while self.generation < self.generations:
            self.generation += 1
            parent = self.population[self.dice.randrange(len(self.population))]
            child = Individual(
                parent.genes + self.rng.normal(size=3),
                float(self.twister.normal()),
                Kind.BAD if self.generation % 2 else Kind.GOOD,
                (parent,),
            )
            self.population.append(child)
            self.population = self.population[-3:]
            self.moves["tabu"].append(Move((self.generation,), child.cost))
            self.moves["best"] = min(self.population, key=lambda one: one.cost)
            best = self.moves["best"]
            # It is the one in the population, in a resumed run too.
            best.cost -= 0.25
            state.offer([float(x) for x in best.genes], sum(one.cost for one in self.population))
            yield Batch(self.generation, self.generations)


class StopAfter(Callback):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_batch_end(self, batch, logs=None):
        if batch + 1 == self.batches:
            self.pipeline.stop(by="command")


def fit(stage, *callbacks, folder=None, **options):
    if folder is not None:
        callbacks = (BackupAndRestore(folder, save_freq=1, interval=None, **options), *callbacks)
    return Pipeline([stage]).fit(callbacks=callbacks, verbose=False)


def found(run):
    return run.cost, run.solution, run.history["cost"]


@pytest.mark.parametrize("batches", [1, 2, 5, 7])
def test_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(tmp_path, batches):
    whole = fit(Evolve())
    assert fit(Evolve(), StopAfter(batches), folder=tmp_path).status == "stopped"
    assert found(fit(Evolve(), folder=tmp_path)) == found(whole)


def test_a_run_may_be_stopped_again_and_again(tmp_path):
    whole = fit(Evolve())
    for batches in (2, 3, 6):
        assert fit(Evolve(), StopAfter(batches), folder=tmp_path).status == "stopped"
    assert found(fit(Evolve(), folder=tmp_path)) == found(whole)


def test_a_new_fit_begins_with_what_init_left(tmp_path):
    stage = Evolve()
    first = fit(stage)
    assert stage.generation == 8
    assert found(fit(stage)) == found(first)
    fit(stage, StopAfter(3))
    assert found(fit(stage)) == found(first)


class After(Stage):
    name = "after"
    brief = True

    def __init__(self, before):
        self.before = before

    def run(self, state, budget):
        yield Batch(1, 2)
        state.offer(float(self.before.rng.random()), -100.0)
        yield Batch(2, 2)


def test_the_attributes_of_a_stage_that_had_ended_are_set_back_too(tmp_path):
    def run(*callbacks):
        first = Evolve()
        backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
        stages = [first, After(first)]
        run = Pipeline(stages).fit(callbacks=[backup, *callbacks], verbose=False)
        return run, first

    class FailIn(Callback):
        def on_batch_end(self, batch, logs=None):
            if logs["stage"] == "after":
                raise KeyboardInterrupt

    _, before = run(FailIn())
    after, resumed = run()
    assert resumed.generation == before.generation == 8
    whole = Evolve()
    fit(whole)
    assert after.solution == float(whole.rng.random())


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        (("populaton",), ValueError, "no attribute 'populaton' to save.*did you mean 'population'"),
        ("rng", TypeError, "saved of stage 'evolve' must be names of attributes"),
        ((3,), TypeError, "saved of stage 'evolve' must be names of attributes"),
    ],
)
def test_names_that_no_attribute_has_are_refused_before_anything_runs(names, error, message):
    stage = type("Wrong", (Evolve,), {"saved": names})()
    with pytest.raises(error, match=message):
        fit(stage)
    assert stage.generation == 0


class WithTool(Evolve):
    saved = ("generation", "tool")

    def __init__(self, generations=8, tool=Tool):
        super().__init__(generations)
        self.tool_kind = tool
        self.tool = tool(1)

    def get_params(self):
        return {"generations": self.generations}

    def run(self, state, budget):
        while self.generation < self.generations:
            self.generation += 1
            self.tool.size *= 2
            state.offer([self.tool.size], -self.tool.size)
            yield Batch(self.generation, self.generations)


def test_what_cannot_be_saved_is_named_once_and_the_stage_begins_again(tmp_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert fit(WithTool(), StopAfter(5), folder=tmp_path).status == "stopped"
    (told,) = [str(one.message) for one in caught]
    assert "stage 'evolve': saved.tool (a Tool)" in told
    assert "BackupAndRestore(pickle=True)" in told
    again = WithTool()
    assert fit(again, folder=tmp_path).cost == -(2**8)
    assert again.generation == 8


def test_what_can_be_pickled_is_saved_where_that_is_asked_for(tmp_path):
    assert fit(WithTool(), StopAfter(5), folder=tmp_path, pickle=True).status == "stopped"
    with pytest.raises(BackupError, match=r"pickled objects .*BackupAndRestore\(pickle=True\)"):
        fit(WithTool(), folder=tmp_path)
    later = WithTool()
    run = fit(later, folder=tmp_path, pickle=True)
    assert (run.cost, later.tool.size, run.stages[0].done) == (-(2**8), 2**8, 8)
    assert len(run.history) == 8


class Objects(Stage):
    """Finds objects, keeps one by `state_dict`, and leaves one on the state."""

    name = "objects"

    def __init__(self):
        self.tool, self.done = Tool(0), 0

    def run(self, state, budget):
        for done in range(self.done + 1, 5):
            self.done = done
            self.tool.size += done
            state.left = Tool(-done)
            state.offer(Tool(self.tool.size), -done)
            yield Batch(done, 4)

    def state_dict(self):
        return {"done": self.done, "tool": self.tool}

    def load_state_dict(self, state):
        self.done, self.tool = state["done"], state["tool"]


def test_pickling_saves_solutions_and_states_of_any_kind_too(tmp_path):
    assert fit(Objects(), StopAfter(2), folder=tmp_path, pickle=True).status == "stopped"
    run = fit(Objects(), folder=tmp_path, pickle=True)
    assert (run.solution.size, run.state.left.size, len(run.history)) == (10, -4, 4)


def same(one, two):
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and bool(np.all(one == two))
    return type(one) is type(two) and one == two


@pytest.mark.parametrize(
    "value",
    [
        None, 3, 2.5, "a", b"b", 10**50, 1j, bytearray(b"c"), (1, (2,)), {1, 2}, frozenset((1, 2)),
        [1, [2, {"a": (3,)}]], {"__same__": 1, "__x": [2]}, {(1, 2): "a", None: 3},
        np.arange(6).reshape(2, 3), np.float32(1.5), np.int8(3), np.bool_(True),
        np.datetime64("2026-01-01"), np.array([], np.int16), np.array(["a", "bc"]),
        deque([1, 2], 5), Pair(1, [2]), Kind.BAD, Move((1, 2), 0.5),
    ],
    ids=repr,
)  # fmt: skip
def test_values_come_back_as_they_were(value):
    assert same(decode(encode(value, "it")), value)


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_go_on_drawing_and_spawning_the_same(bits):
    rng = np.random.Generator(getattr(np.random, bits)(3))
    rng.normal(size=5)
    rng.spawn(2)
    again = decode(encode(rng, "it"))
    assert again.spawn(1)[0].random() == rng.spawn(1)[0].random()
    assert list(again.integers(1000, size=9)) == list(rng.integers(1000, size=9))
    old = np.random.RandomState(4)
    old.normal()
    same_again = decode(encode(old, "it"))
    assert list(same_again.normal(size=5)) == list(old.normal(size=5))
    dice = random.Random(4)
    dice.gauss(0, 1)
    assert decode(encode(dice, "it")).gauss(0, 1) == copy.copy(dice).gauss(0, 1)


def test_one_object_in_several_places_is_one_again():
    rng, individual = np.random.default_rng(1), Individual(np.zeros(2), 1.0)
    individual.parents = [individual]
    crowd = np.array([individual, None], object)
    data = {"rng": rng, "other": Tool, "best": individual, "all": [individual, rng], "crowd": crowd}
    del data["other"]
    made = decode(encode(data, "it"))
    assert made["rng"] is made["all"][1]
    assert made["best"] is made["all"][0] is made["crowd"][0] is made["best"].parents[0]


def test_a_copy_is_made_at_once():
    array, listed = np.zeros(2), [1]
    data = encode([array, listed], "it")
    array[0], listed[0] = 5, 5
    assert decode(data)[0][0] == 0
    assert decode(data)[1] == [1]


@pytest.mark.parametrize(
    "value", [Tool(1), [Tool(1)], {"a": (Tool(1),)}, threading.Lock(), lambda: 1, print, Tool]
)
def test_what_is_no_data_is_refused_by_name(value):
    with pytest.raises(UnsavableError, match=r"^it.*\(a "):
        encode(value, "it")


@pytest.mark.parametrize(
    "data",
    [
        {"__pickle__": b"cos\nsystem\n(S'touch x'\ntR."},
        {"__dataclass__": ["os", "system", []]},
        {"__dataclass__": ["this", "that", []]},
        {"__enum__": ["os", "path", "x"]},
        {"__named__": ["os", "system", []]},
        {"__bits__": ["Generator", {}, None]},
        {"__nothing__": 1},
        {"__same__": 3},
        {"__same__": -1},
        {"__objects__": [[3], [1]]},
    ],
)
def test_data_that_make_no_sense_are_refused_and_run_nothing(data):
    with pytest.raises((ValueError, TypeError, LookupError, AttributeError)):
        decode([data])

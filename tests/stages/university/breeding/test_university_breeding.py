"""Timetables of universities in the genetic algorithm."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from schoolbell.runner import Pipeline
from schoolbell.stages import GeneticAlgorithm
from schoolbell.stages.problem import Cooling
from schoolbell.stages.tasks.stop_flag import StopFlag
from schoolbell.stages.university import evaluate, generate
from schoolbell.stages.university.breeding.university_anneal import UniversityAnneal
from schoolbell.stages.university.reduction.reduce import reduce
from schoolbell.stages.university.university_problem import UniversityProblem


@pytest.fixture(scope="module")
def problem():
    return UniversityProblem(reduce(generate(30, 60, seed=1)))


@pytest.fixture
def breeding(problem):
    return problem.breed()


def genes_of(breeding, seed):
    return breeding.found(np.random.default_rng(seed), StopFlag()).run()


def anneal_of(breeding, moves=3000, seed=0, genes=None):
    cooling = Cooling(start=2.0, end=0.2, moves=moves, kempe=0.15, violation=100.0)
    genes = genes_of(breeding, 0) if genes is None else genes
    return breeding.anneal(genes, cooling, np.random.SeedSequence(seed))


def test_an_anneal_finds_a_timetable_without_violations_and_knows_its_cost(breeding):
    anneal = anneal_of(breeding, 60_000).chunk(60_000).run()
    genes, violations, cost = anneal.best
    found = evaluate(breeding.solution(genes))
    assert (violations, cost) == (0, found.cost)
    assert found.feasible
    assert anneal.moves_left == 0


def test_a_broken_timetable_is_counted_by_the_definitions(breeding):
    drawn = breeding.translation.draw(np.random.default_rng(0))._asdict()
    anneal = anneal_of(breeding, 50, genes=drawn).chunk(1).run()
    genes, violations, cost = anneal.best
    found = evaluate(breeding.solution(genes))
    assert (violations, cost) == (found.violations, found.cost)
    assert violations > 0


def test_chunks_that_were_saved_between_end_as_one(breeding):
    whole = anneal_of(breeding, 4000).chunk(2500).run().chunk(1500).run()
    half = anneal_of(breeding, 4000).chunk(2500).run()
    later = breeding.load_anneal(half.state_dict()).chunk(1500).run()
    assert isinstance(later, UniversityAnneal)
    assert later.cost == whole.cost
    for name, values in whole.best[0].items():
        assert np.array_equal(values, later.best[0][name])
    assert whole.best[1:] == later.best[1:]


@pytest.mark.parametrize(
    "name",
    ["row", "best_option", "bundle", "rng", "weight", "occupants", "troubled", "crowded"],
)
def test_what_was_never_saved_is_refused(breeding, name):
    state = anneal_of(breeding).state_dict()
    state[name] = np.array([10**6])
    with pytest.raises(ValueError, match=name.removeprefix("best_")):
        breeding.load_anneal(state)


@pytest.mark.parametrize(
    ("name", "at", "value", "what"),
    [
        ("troubled", 0, 10**6, "troubled"),
        ("troubled", 0, -1, "troubled"),
        ("crowded", 0, 10**6, "crowded"),
        ("clock", 5, 10**6, "troubled"),
        ("clock", 6, 10**6, "crowded"),
    ],
)
def test_a_class_that_is_none_is_refused(breeding, name, at, value, what):
    state = anneal_of(breeding).state_dict()
    state[name][at] = value
    with pytest.raises(ValueError, match=what):
        breeding.load_anneal(state)


def test_classes_that_are_too_full_are_emptied_in_few_moves():
    search = UniversityProblem(reduce(generate(120, 3000, seed=2))).breed()
    genes = genes_of(search, 0)
    course = search.problem.demand_course
    # Everybody in the first section of each course.
    genes["bundle"] = search.problem.course_starts[course].astype(np.int64)
    before = evaluate(search.solution(genes)).hard["Limits"]
    anneal = anneal_of(search, 4 * before, genes=genes).chunk(4 * before).run()
    assert before > 5000
    # One move in two is of a student who leaves.
    assert anneal.best[1] == 0


def test_a_child_has_the_classes_that_were_chosen_from_its_second_parent(breeding):
    first, second = genes_of(breeding, 1), genes_of(breeding, 2)
    chosen = np.zeros(breeding.n_nodes, np.bool_)
    chosen[::2] = True
    child = breeding.cross(first, second, chosen, np.random.SeedSequence(0), 100.0).run()
    for name in ("row", "option"):
        assert np.array_equal(child[name][chosen], second[name][chosen])
        assert np.array_equal(child[name][~chosen], first[name][~chosen])
    assert anneal_of(breeding, 100, genes=child).chunk(100).run().moves_made == 100
    assert breeding.distance(first, first) == 0
    assert 0 < breeding.distance(first, second) <= 1


def test_clusters_share_the_cost_out(breeding):
    genes = genes_of(breeding, 3)
    clusters = np.arange(breeding.n_nodes) % 3
    costs = breeding.part_costs(genes, clusters, 3, 100.0)
    assert costs.shape == (3,)
    assert (costs > 0).all()


def test_the_same_seed_gives_the_same_timetable_with_one_worker_or_two(problem):
    def evolve(workers):
        stage = GeneticAlgorithm(
            generations=1, population=2, islands=1, founder_moves=300, child_moves=200,
            founder_temperature=1.2, final_temperature=0.17, reheats=(0.25,),
        )  # fmt: skip
        return Pipeline([stage]).fit(problem, seed=3, workers=workers, verbose=0)

    one, two = evolve(1), evolve(2)
    assert one.cost == two.cost
    assert one.solution == two.solution


def test_an_anneal_goes_to_another_process_without_the_instance_and_comes_back_with_it(breeding):
    anneal = anneal_of(breeding).chunk(500).run()
    sent = pickle.dumps(anneal)
    assert b"CourseClass" not in sent
    back = pickle.loads(sent)
    assert back.translation is breeding.translation
    assert back.chunk(500).run().cost == anneal.chunk(500).run().cost
    script = (
        "import pickle, sys; anneal = pickle.load(sys.stdin.buffer); "
        "sys.stdout.buffer.write(pickle.dumps(anneal.chunk(500).run()))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=sent, stdout=subprocess.PIPE, check=True)
    later = pickle.loads(done.stdout)
    assert later.moves_made == 1000
    assert later.best[1:] == back.best[1:]

"""Problems of nodes and labels; tests/stages/test_problem.py has all engines work on one."""

import numpy as np
import pytest
from schoolbell.runner import Pipeline
from schoolbell.stages import CPSAT, GeneticAlgorithm, LabellingProblem, RLRepair
from schoolbell.stages.labelling.division import solve_part
from schoolbell.stages.labelling.labels import NOTHING, of_node
from schoolbell.stages.problem import SolveLimits
from schoolbell.stages.tasks.stop_flag import StopFlag


class Colouring(LabellingProblem):
    def evaluate(self, labels):
        first, second = labels[self.edges].T
        clashes = np.count_nonzero((first == second) & (first >= 0))
        return int(clashes + np.count_nonzero(labels < 0)), int(labels[labels > 0].sum())

    def evaluate_node(self, labels, node, label):
        return sum(labels[other] == label for other in self.near[node]), label


class Capped(Colouring):
    """A label is for two nodes at most, as CP-SAT alone knows."""

    def constrain(self, model, chosen, nodes):
        for label in range(self.n_labels):
            model.add(sum(one for (_, other), one in chosen.items() if other == label) <= 2)
        return super().constrain(model, chosen, nodes)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 3, []), "n_nodes and n_labels must be 1 or more, got 0 and 3"),
        ((3, 0, []), "n_nodes and n_labels must be 1 or more, got 3 and 0"),
        ((3, 2, [(0, 3)]), "edges must be of nodes from 0 to 2"),
        ((3, 2, [(-1, 1)]), "edges must be of nodes from 0 to 2"),
        ((3, 2, [(1, 1)]), "an edge must join two nodes"),
    ],
)
def test_what_is_no_graph_is_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        Colouring(*arguments)


def test_each_edge_stands_once_and_each_node_knows_those_next_to_it():
    problem = Colouring(4, 2, [(2, 0), (0, 2), (2, 1)])
    assert problem.edges.tolist() == [[0, 2], [1, 2]]
    assert problem.near == [[2], [2], [0, 1], []]


def test_what_a_move_changes_is_the_difference_of_two_evaluations():
    rng = np.random.default_rng(3)
    problem = Colouring(
        12, 3, [pair for pair in rng.integers(12, size=(30, 2)) if pair[0] < pair[1]]
    )
    for _ in range(50):
        labels = rng.integers(-1, 3, size=12)
        node, label = int(rng.integers(12)), int(rng.integers(3))
        then = labels.copy()
        then[node] = label
        before, after = (of_node(problem, one, node, int(one[node])) for one in (labels, then))
        change = np.subtract(problem.evaluate(then), problem.evaluate(labels))
        # The cost of no label is nothing.
        assert change.tolist() == np.subtract(after, before).tolist()


@pytest.mark.parametrize("edges", [[], [(0, 1), (1, 2)]])
def test_the_best_labelling_of_a_small_graph_is_found_and_can_be_written(edges, tmp_path):
    stages = [CPSAT(effort=0.1), GeneticAlgorithm(generations=0, founder_moves=50), RLRepair(5)]
    run = Pipeline(stages).fit(Colouring(4, 2, edges), seed=1, workers=1, verbose=False)
    assert (run.violations, run.cost) == (0, min(len(edges), 1))
    run.solution.write(tmp_path / "labels.txt")
    assert np.loadtxt(tmp_path / "labels.txt").tolist() == run.solution.tolist()


def test_more_can_be_asked_of_the_model():
    nodes, nowhere = np.arange(6), np.full(6, NOTHING)
    asked = Capped(6, 3, []), nodes, nowhere, True, SolveLimits(1.0), 1, StopFlag()
    placed = solve_part(*asked).placed
    assert np.bincount(placed, minlength=3).tolist() == [2, 2, 2]

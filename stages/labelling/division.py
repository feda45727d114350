"""Labelling problems taken apart for CP-SAT."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..problem import PartResult, SolveLimits
from ..tasks.stop_flag import StopFlag
from ..tasks.task import Task
from .labels import NOTHING, checked, of_node

if TYPE_CHECKING:
    from .labelling_problem import LabellingProblem

# What a node without a label costs a model, in labels of the highest price.
_PRICE_OF_NOTHING = 10


@dataclass
class LabelDraft:
    """A labelling as `CPSAT` changes it; it never changes itself."""

    problem: "LabellingProblem"
    labels: NDArray[np.int64]

    @property
    def missing(self) -> int:
        """How many nodes lack a label."""
        return int(np.count_nonzero(self.labels == NOTHING))

    def differs(self, nodes: NDArray[np.intp], placed: NDArray[Any]) -> bool:
        """Tell whether some nodes have other labels than these."""
        return bool((self.labels[nodes] != placed).any())

    def change(self, changes: Sequence[tuple[NDArray[np.intp], NDArray[Any]]]) -> Task:
        """Return a task that gives a draft in which some nodes have new labels."""
        labels = self.labels.copy()
        for nodes, placed in changes:
            if placed.shape != nodes.shape or not np.all(placed < self.problem.n_labels):
                raise ValueError(f"expected labels of {len(nodes)} nodes, got {placed!r}")
            labels[nodes] = placed
        return Task(partial(LabelDraft, self.problem), (labels,))

    def evaluate(self) -> tuple[Any, int, float]:
        """Return the labelling, its violations and its cost."""
        return self.problem.solution(self.labels), *self.problem.evaluate(self.labels)

    def state_dict(self) -> dict[str, Any]:
        """Return the labels."""
        return {"labels": self.labels}


class LabelDivision:
    """A labelling problem for one run of `CPSAT`."""

    nouns = ("nodes", "nodes")

    def __init__(self, problem: "LabellingProblem") -> None:
        self.problem = problem
        self.neighbours = problem.neighbours

    def draft(self, solution: Any = None) -> LabelDraft | None:
        """Make a draft of a labelling without violations, or of nothing."""
        if solution is None:
            return LabelDraft(self.problem, np.full(self.problem.n_nodes, NOTHING))
        labels = np.asarray(solution)
        return None if self.problem.evaluate(labels)[0] else LabelDraft(self.problem, labels)

    def construct(self, rng: np.random.Generator, limits: SolveLimits, flag: StopFlag) -> Task:
        """Return a task that labels the nodes greedily."""
        return Task(self.problem.construct, (rng,), partial(LabelDraft, self.problem))

    def incomplete(self, draft: LabelDraft) -> NDArray[np.intp]:
        """List the nodes without a label."""
        return np.flatnonzero(draft.labels == NOTHING)

    def model_size(self, nodes: NDArray[np.intp]) -> int:
        """Return how many variables some nodes would have."""
        return len(nodes) * self.problem.n_labels

    def feasible(
        self,
        nodes: NDArray[np.intp],
        draft: LabelDraft,
        limits: SolveLimits,
        seed: int,
        flag: StopFlag,
    ) -> Task:
        """Return a task that looks for labels of all of some nodes, at any cost."""
        return Task(solve_part, (self.problem, nodes, draft.labels, True, limits, seed, flag))

    def improve(
        self,
        nodes: NDArray[np.intp],
        draft: LabelDraft,
        limits: SolveLimits,
        seed: int,
        flag: StopFlag,
        parts: int,
        index: int,
    ) -> Task:
        """Return a task that looks for labels of some nodes at less cost."""
        return Task(solve_part, (self.problem, nodes, draft.labels, False, limits, seed, flag))

    def learn(self, draft: LabelDraft) -> None:
        """Learn nothing: what a model places has a label."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing beside a draft's labels."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> LabelDraft:
        """Return the draft of a backup."""
        return LabelDraft(self.problem, checked(self.problem, state["labels"]))


def solve_part(
    problem: "LabellingProblem",
    nodes: NDArray[np.intp],
    labels: NDArray[np.int64],
    whole: bool,
    limits: SolveLimits,
    seed: int,
    flag: StopFlag,
) -> PartResult:
    """Label some nodes anew: all of them at any cost, or at least cost, with some left out."""
    # Here and not above: OR-Tools takes long to import.
    from ortools.sat.python.cp_model import CpModel

    from ..exact.solver import solve_model

    model, free = CpModel(), nodes.tolist()
    held, before = labels.tolist(), labels.tolist()
    for node in free:
        held[node] = NOTHING
    chosen = {}
    for node in free:
        for label in range(0 if whole else NOTHING, problem.n_labels):
            if label == NOTHING or of_node(problem, held, node, label)[0] == 0:
                chosen[node, label] = model.new_bool_var("")
                model.add_hint(chosen[node, label], before[node] == label)
        model.add_exactly_one(one for (other, _), one in chosen.items() if other == node)
    cost = problem.constrain(model, chosen, free)
    if not whole:
        dearest = max((abs(of_node(problem, held, *place)[1]) for place in chosen), default=1.0)
        price = round(_PRICE_OF_NOTHING * len(free) * max(dearest, 1.0))
        left_out = [chosen[node, NOTHING] for node in free]
        model.minimize(cost + price * sum(left_out))
    found = solve_model(model, limits, seed, flag)
    if found.placed is None:
        return found
    given = dict(place for place, value in zip(chosen, found.placed, strict=True) if value)
    return replace(found, placed=np.array([given[node] for node in free]))

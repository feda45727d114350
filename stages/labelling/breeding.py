"""Labelling problems for the genetic algorithm."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..problem import AnnealNeeds, Cooling, Genes
from ..tasks.stop_flag import StopFlag
from ..tasks.task import Task
from .labels import NOTHING, checked, of_node

if TYPE_CHECKING:
    from .labelling_problem import LabellingProblem


@dataclass
class LabelAnneal:
    """An anneal in progress; each move gives a random node a random label."""

    problem: "LabellingProblem"
    cooling: Cooling
    labels: list[int]
    total: tuple[int, float]
    rng: np.random.Generator
    best_labels: NDArray[np.int64]
    best_total: tuple[int, float]
    moves_made: int = 0
    moves_left: int = 0

    @property
    def moves(self) -> int:
        """Moves proposed in all when it ends."""
        return self.cooling.moves

    @property
    def cost(self) -> float:
        """Cost of the present labelling."""
        return self.total[1]

    @property
    def best(self) -> tuple[Genes, int, float]:
        """The best labelling so far, its violations and its cost."""
        return {"label": self.best_labels}, *self.best_total

    @property
    def temperature(self) -> float:
        """The present one: it falls by the same factor in every move."""
        part = self.moves_made / max(self.moves_made + self.moves_left, 1)
        return self.cooling.start * (self.cooling.end / self.cooling.start) ** part

    def change(self, end: float, kempe: float, violation: float) -> None:
        """Go on with other settings."""
        self.cooling = replace(self.cooling, end=end, kempe=kempe, violation=violation)

    def chunk(self, moves: int) -> Task:
        """Return a task that makes so many moves."""
        return Task(make_moves, (self, min(moves, self.moves_left)))

    def state_dict(self) -> dict[str, Any]:
        """Return where it is."""
        return {
            "labels": np.array(self.labels),
            "best_labels": self.best_labels,
            "moves_made": self.moves_made,
            "moves_left": self.moves_left,
            "cooling": asdict(self.cooling),
            "random": self.rng.bit_generator.state,
        }


def make_moves(anneal: LabelAnneal, moves: int) -> LabelAnneal:
    """Propose moves; a move that costs too much for the temperature is left."""
    problem, labels, rng = anneal.problem, anneal.labels, anneal.rng
    violation = anneal.cooling.violation
    bounds = (-anneal.temperature * np.log(1.0 - rng.random(moves))).tolist()
    nodes = rng.integers(problem.n_nodes, size=moves).tolist()
    wanted = rng.integers(problem.n_labels, size=moves).tolist()
    for node, label, bound in zip(nodes, wanted, bounds, strict=True):
        then = of_node(problem, labels, node, label)
        now = of_node(problem, labels, node, labels[node])
        broken, dearer = then[0] - now[0], then[1] - now[1]
        if broken * violation + dearer <= bound:
            labels[node] = label
            anneal.total = anneal.total[0] + broken, anneal.total[1] + dearer
            if anneal.total < anneal.best_total:
                anneal.best_total, anneal.best_labels = anneal.total, np.array(labels)
    anneal.moves_made += moves
    anneal.moves_left -= moves
    return anneal


def take_over(first: Genes, second: Genes, chosen: NDArray[np.bool_]) -> Genes:
    """Give some nodes the labels of the second parent."""
    return {"label": np.where(chosen, second["label"], first["label"])}


class LabelBreeding:
    """A labelling problem for one run of the genetic algorithm."""

    scale: ClassVar[float] = 1.0
    needs: ClassVar[AnnealNeeds] = AnnealNeeds()
    step_moves: ClassVar[float] = 60_000.0

    def __init__(self, problem: "LabellingProblem") -> None:
        self.problem, self.n_nodes = problem, problem.n_nodes
        self.genes: Mapping[str, tuple[int, int, int]] = {
            "label": (problem.n_nodes, NOTHING, problem.n_labels)
        }

    def of_solution(self, solution: Any) -> Genes:
        """Take a labelling as genes."""
        return {"label": np.asarray(solution)}

    def solution(self, genes: Genes) -> Any:
        """Make a labelling of genes."""
        return self.problem.solution(genes["label"])

    def found(self, rng: np.random.Generator, flag: StopFlag) -> Task:
        """Return a task that gives a founder."""
        return Task(self.problem.construct, (rng,), self.of_solution)

    def part_costs(
        self, genes: Genes, clusters: NDArray[np.int64], count: int, violation: float
    ) -> NDArray[Any]:
        """Tell what each cluster costs."""
        labels = genes["label"].tolist()
        costs = [
            broken * violation + cost
            for broken, cost in (
                of_node(self.problem, labels, node, label) for node, label in enumerate(labels)
            )
        ]
        return np.bincount(clusters, costs, count)

    def cross(
        self,
        first: Genes,
        second: Genes,
        chosen: NDArray[np.bool_],
        seed: np.random.SeedSequence,
        violation: float,
    ) -> Task:
        """Return a task that gives a child."""
        return Task(take_over, (first, second, chosen))

    def distance(self, one: Genes, other: Genes) -> float:
        """Return the part of the nodes with other labels."""
        return float(np.mean(one["label"] != other["label"]))

    def anneal(self, genes: Genes, cooling: Cooling, seed: np.random.SeedSequence) -> LabelAnneal:
        """Begin an anneal."""
        rng = np.random.default_rng(seed)
        return self._anneal(genes["label"], genes["label"].copy(), cooling, rng, 0, cooling.moves)

    def load_anneal(self, state: dict[str, Any]) -> LabelAnneal:
        """Go on with an anneal of a backup."""
        labels, best = (checked(self.problem, state[name]) for name in ("labels", "best_labels"))
        rng = np.random.default_rng()
        rng.bit_generator.state = state["random"]
        moves = state["moves_made"], state["moves_left"]
        return self._anneal(labels, best, Cooling(**state["cooling"]), rng, *moves)

    def _anneal(
        self,
        labels: NDArray[np.int64],
        best: NDArray[np.int64],
        cooling: Cooling,
        rng: np.random.Generator,
        made: int,
        left: int,
    ) -> LabelAnneal:
        totals = (self.problem.evaluate(one) for one in (labels, best))
        return LabelAnneal(
            self.problem,
            cooling,
            labels.tolist(),
            next(totals),
            rng,
            best,
            next(totals),
            made,
            left,
        )

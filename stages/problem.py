"""What the engines need of a problem, as small protocols of arrays and numbers.

Four stages of this package know no problem: `LouvainClustering`, `CPSAT`,
`GeneticAlgorithm` and `RLRepair`. Each of them works on any object that has the methods
of its protocol here; a problem that has all of them can go through all four:

===================  ============= ====================================================
stage                protocol      the problem says
===================  ============= ====================================================
`LouvainClustering`  `Clusterable` its graph: nodes with sizes, edges with weights
`CPSAT`              `Divisible`   how nodes are freed and solved, all others held
`GeneticAlgorithm`   `Breedable`   founders, children, their distance, and their anneals
`RLRepair`           `Repairable`  an environment in which an agent repairs a solution
===================  ============= ====================================================

That object is ``state.prepared``, where a stage has made it of what `Pipeline.fit` was
given (as `Load` does of a timetable's instance), else ``state.problem``. No class has to
derive from a protocol. Long work is a `Task`, which runs on the executor of the run.

*Nodes* are what a problem's solutions are taken apart into: courses, classes, vertices.
*Violations* are broken hard constraints, a whole number; fewer always come first, then
a lower *cost*, in units of the problem.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .tasks.task import Task

if TYPE_CHECKING:
    from .clustering.weighted_graph import WeightedGraph
    from .state import State
    from .tasks.stop_flag import StopFlag

__all__ = [
    "Anneal",
    "AnnealNeeds",
    "Breedable",
    "Breeding",
    "Clusterable",
    "Cooling",
    "Divisible",
    "Division",
    "Draft",
    "Environment",
    "Genes",
    "PartResult",
    "Repairable",
    "SolveLimits",
]


class Clusterable(Protocol):
    """What `LouvainClustering` needs: a weighted graph, made in chunks."""

    @property
    def node_sizes(self) -> NDArray[np.int32]:
        """Size of each node, in the unit of ``min_size`` and ``max_size``, (n_nodes,)."""
        ...

    def edge_tasks(self, chunk_size: int) -> Sequence[Task]:
        """Cut the search for edges into tasks, each of about so many pairs of nodes.

        There may be none, of a graph without edges. What they give is for `join_edges`.
        """
        ...

    def join_edges(self, parts: Sequence[Any]) -> WeightedGraph:
        """Make the graph of what all `edge_tasks` gave, in their order.

        Called in a thread of its own. An edge weighs how much its nodes are in each
        other's way.
        """
        ...


@dataclass(frozen=True, slots=True)
class SolveLimits:
    """When a solve ends.

    Attributes
    ----------
    effort
        Deterministic time of CP-SAT, so that the result does not depend on the
        machine's load; about a second each.
    seconds
        Wall time; None for no limit.
    """

    effort: float
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PartResult:
    """What a solve found for the nodes that it was free to change.

    Attributes
    ----------
    placed
        Their new values, an array of one row a node, as `Draft.change` takes them;
        None if no solution was found.
    objective, bound
        Cost of the solution and its proven lower bound, both restricted to the
        model; None without a solution.
    optimal
        Whether the solution was proved to be the best, or that there is none.
    """

    placed: NDArray[Any] | None
    objective: float | None
    bound: float | None
    optimal: bool


class Draft(Protocol):
    """A solution as `CPSAT` changes it: nodes may lack values. It never changes itself."""

    @property
    def missing(self) -> int:
        """How many things the solution lacks; 0 for a whole one."""
        ...

    def differs(self, nodes: NDArray[np.intp], placed: NDArray[Any]) -> bool:
        """Tell whether some nodes have other values than these."""
        ...

    def change(self, changes: Sequence[tuple[NDArray[np.intp], NDArray[Any]]]) -> Task:
        """Return a task that gives a `Draft` in which some nodes have new values.

        Parameters
        ----------
        changes
            Nodes and the values that a `PartResult` has for them, some of each.

        Raises
        ------
        ValueError
            For values that cannot be those of the nodes, by their type or shape.
        """
        ...

    def evaluate(self) -> tuple[Any, int, float]:
        """Return the solution as `State.offer` takes it, its violations and its cost.

        Called in a thread of its own.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return the draft as plain data, not under ``turn`` or ``results``."""
        ...


class Division(Protocol):
    """A problem that has been prepared to be taken apart, for one run of `CPSAT`.

    One whose solutions take long to evaluate may tell so by an attribute
    ``evaluation_seconds``, for which time is left.
    """

    @property
    def nouns(self) -> tuple[str, str]:
        """What is placed and what the nodes are called: ``("lectures", "courses")``."""
        ...

    @property
    def neighbours(self) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Tell which nodes constrain each other.

        Returns
        -------
        tuple of arrays
            Where each node's neighbours begin, (n_nodes + 1,), and all of them one
            after another.
        """
        ...

    def draft(self, solution: Any = None) -> Draft | None:
        """Make a draft of a solution, of nothing for None; return None where it is no whole one."""
        ...

    def construct(self, rng: np.random.Generator, limits: SolveLimits, flag: StopFlag) -> Task:
        """Return a task that gives a `Draft` built in little time, different for every `rng`.

        Parameters
        ----------
        rng
            Draws what there is to draw.
        limits
            When what is not whole yet is given as it is, for who searches longer.
        flag
            When set, the task ends soon.

        Returns
        -------
        Task
            Gives a `Draft`, as whole as it comes.
        """
        ...

    def incomplete(self, draft: Draft) -> NDArray[np.intp]:
        """List the nodes to which a draft's missing things belong, ascending."""
        ...

    def model_size(self, nodes: NDArray[np.intp]) -> int:
        """Return how large a model of some nodes would be, in variables."""
        ...

    def feasible(
        self, nodes: NDArray[np.intp], draft: Draft, limits: SolveLimits, seed: int, flag: StopFlag
    ) -> Task:
        """Return a task that looks for whole values of some nodes, at any cost.

        All other nodes stay as they are in the draft.

        Parameters
        ----------
        nodes
            The nodes to be placed.
        draft
            Where the others are, and what the solver may start from.
        limits
            When the solver ends.
        seed
            Of the solver.
        flag
            When set, the solver ends at once.

        Returns
        -------
        Task
            Gives a `PartResult`.
        """
        ...

    def improve(
        self,
        nodes: NDArray[np.intp],
        draft: Draft,
        limits: SolveLimits,
        seed: int,
        flag: StopFlag,
        parts: int,
        index: int,
    ) -> Task:
        """Return a task that looks for values of some nodes at less cost.

        Parameters
        ----------
        nodes, draft, limits, seed, flag
            As for `feasible`.
        parts, index
            How many parts without neighbours among each other are solved at the same
            time, and which of them this is: what they share, they divide among them.

        Returns
        -------
        Task
            Gives a `PartResult`.
        """
        ...

    def learn(self, draft: Draft) -> None:
        """Let later models avoid that a draft comes out as incomplete as this one."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what has been learned as plain data, under other names than a draft's."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> Draft:
        """Learn what was learned, and return the draft; a ValueError for what was never saved."""
        ...


class Divisible(Protocol):
    """What `CPSAT` needs: solutions that can be taken apart."""

    @property
    def node_sizes(self) -> NDArray[np.integer]:
        """Things to be placed of each node, (n_nodes,).

        By these, clusters are cut where no stage has found any.
        """
        ...

    def divide(self) -> Division:
        """Prepare for one run of the stage. Called in a thread of its own."""
        ...


@dataclass(frozen=True, slots=True)
class Cooling:
    """How an anneal cools, as the genetic algorithm wants it.

    Attributes
    ----------
    start, end
        First and last temperature, in units of cost.
    moves
        Moves proposed in all.
    kempe
        Part of the proposals that are compound moves, such as Kempe chains; what that
        means is for the problem to say.
    violation
        Cost that one violation counts as.
    """

    start: float
    end: float
    moves: int
    kempe: float
    violation: float


@dataclass(frozen=True, slots=True)
class AnnealNeeds:
    """What anneals need to be worth their while.

    Attributes
    ----------
    warm
        Moves for each item to gain by being warmed up as far as the stage does at most; with
        fewer, what there is is warmed up as little as it does.
    hot
        Moves for each item to gain by beginning anywhere, hot, and not from what there is.
    full
        Moves for each item of a founder: as many begin as there is time for.
    founders
        Founders at least, whatever the time.
    child
        Time of a child, in that of a founder.
    """

    warm: float = 0.0
    hot: float = 20_000.0
    full: float = 250_000.0
    founders: int = 2
    child: float = 0.5


Genes = Mapping[str, NDArray[np.int64]]
"""An individual's arrays by their names."""


class Anneal(Protocol):
    """An anneal in progress."""

    @property
    def moves(self) -> int:
        """Moves proposed in all when it ends."""
        ...

    @property
    def moves_made(self) -> int:
        """Moves proposed so far."""
        ...

    @property
    def moves_left(self) -> int:
        """Moves until it ends. May be set: what cools by time has more or fewer left."""
        ...

    @moves_left.setter
    def moves_left(self, moves: int) -> None: ...

    @property
    def temperature(self) -> float:
        """The present one, in units of cost."""
        ...

    @property
    def cost(self) -> float:
        """Cost of the present solution, without its violations."""
        ...

    @property
    def best(self) -> tuple[Genes, int, float]:
        """The best solution so far, its violations and its cost."""
        ...

    def change(self, end: float, kempe: float, violation: float) -> None:
        """Go on with other settings, as in `Cooling`; called before every `chunk`."""
        ...

    def chunk(self, moves: int) -> Task:
        """Return a task that makes so many moves, and gives the `Anneal` as it is then.

        That may be this one, changed in place. A tenth of a second or less is due, and
        fewer moves where the anneal ends before. Where the run's workers are other
        processes the anneal itself is sent, if it can be pickled, and goes through many
        chunks there.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return where it is as plain data, not under ``seconds_left`` or ``speed``."""
        ...


class Breeding(Protocol):
    """A problem that has been prepared for one run of the genetic algorithm."""

    @property
    def n_nodes(self) -> int:
        """What clusters are of."""
        ...

    @property
    def genes(self) -> Mapping[str, tuple[int, int, int]]:
        """For each array of an individual its length, least value and end of values.

        No name may be one that the stage saves something else under (``"rng"``, say).
        """
        ...

    @property
    def scale(self) -> float:
        """How many times more a move can win than on a usual timetable, 1 or more."""
        ...

    @property
    def needs(self) -> AnnealNeeds:
        """What anneals need to be worth their while."""
        ...

    @property
    def step_moves(self) -> float:
        """Moves of all anneals together between two batches: a few tenths of a second."""
        ...

    def of_solution(self, solution: Any) -> Genes:
        """Take a solution apart."""
        ...

    def solution(self, genes: Genes) -> Any:
        """Put a solution together, as `State.offer` takes it, of copies of the arrays."""
        ...

    def found(self, rng: np.random.Generator, flag: StopFlag) -> Task:
        """Return a task that gives the `Genes` of a founder, different for every `rng`.

        When the flag is set, it ends soon.
        """
        ...

    def part_costs(
        self, genes: Genes, clusters: NDArray[np.int64], count: int, violation: float
    ) -> NDArray[Any]:
        """Tell what each cluster of nodes costs, (count,); called in a thread of its own.

        Parameters
        ----------
        genes
            A solution.
        clusters
            Cluster of each node, (n_nodes,).
        count
            How many clusters there are.
        violation
            Cost that one violation counts as.
        """
        ...

    def cross(
        self,
        first: Genes,
        second: Genes,
        chosen: NDArray[np.bool_],
        seed: np.random.SeedSequence,
        violation: float,
    ) -> Task:
        """Return a task that gives the `Genes` of a child.

        Parameters
        ----------
        first, second
            The parents.
        chosen
            Whether a node comes from the second one, (n_nodes,).
        seed
            Of the child's own random numbers.
        violation
            Cost that one violation counts as.
        """
        ...

    def distance(self, one: Genes, other: Genes) -> float:
        """Return how different two solutions are, from 0 to 1."""
        ...

    def anneal(self, genes: Genes, cooling: Cooling, seed: np.random.SeedSequence) -> Anneal:
        """Begin an anneal from a solution; called in a thread of its own."""
        ...

    def load_anneal(self, state: dict[str, Any]) -> Anneal:
        """Go on with an anneal that was saved; a ValueError for what never was.

        Called in a thread of its own.
        """
        ...


class Breedable(Protocol):
    """What `GeneticAlgorithm` needs: individuals."""

    @property
    def n_items(self) -> int:
        """What the stage's moves are counted for, as lectures or vertices."""
        ...

    @property
    def moves_per_second(self) -> float:
        """Moves that an anneal makes in a second on a usual machine.

        A fortieth of it is a chunk, where moves decide and not the time. How fast this
        machine is may be told by an attribute ``measured_speed``, None until that is known;
        the time left is foretold by it, and with a time limit how many founders it leaves
        time for, and nothing else depends on it.
        """
        ...

    def breed(self) -> Breeding:
        """Prepare for one run of the stage. Called in a thread of its own."""
        ...


class Environment(Protocol):
    """Episodes of repair: attempts to make one thing in a solution better.

    In the terms of Gymnasium, of which it may be an environment. One that can play whole
    episodes in compiled code has a method ``play`` besides, as
    `schoolbell.stages.timetable.RepairEnvironment` has; it is used for a `QLearner`.
    """

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each number of an observation has."""
        ...

    @property
    def best_total(self) -> NDArray[Any]:
        """Violations and cost of the best solution so far, (2,)."""
        ...

    @property
    def without_success(self) -> int:
        """Episodes in a row that made nothing better."""
        ...

    def best_solution(self) -> Any:
        """Return the best solution so far as `State.offer` takes it."""
        ...

    def count_conflicts(self) -> int:
        """Count the things in the solution that an episode could be about."""
        ...

    def restart(self, seed: np.random.SeedSequence) -> None:
        """Begin anew from the first solution, with other random numbers."""
        ...

    def reset(self) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Begin an episode; return an observation and more to know."""
        ...

    def step(self, action: int) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Apply an operator.

        Returns
        -------
        tuple
            An observation, the reward, whether the episode has ended in success,
            whether it was given up, and more to know.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return where it is as plain data."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Be where another one was; a ValueError for what `state_dict` never returned."""
        ...


class Repairable(Protocol):
    """What `RLRepair` needs: operators that repair, and agents that choose among them."""

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of the operators, in the order of the agents' actions."""
        ...

    def repair_environment(self, solution: Any, violation: float, steps: int) -> Environment:
        """Begin to repair a solution.

        Parameters
        ----------
        solution
            What `State.solution` holds; it stays as it is.
        violation
            Cost that one violation counts as when an operator compares changes.
        steps
            Most operators applied in an episode.
        """
        ...

    def repair_agent(self, path: str | os.PathLike[str] | None) -> Any:
        """Return the agent that a file holds; without one the agent that comes with the problem.

        Raises
        ------
        FormatError
            If the file cannot be read or holds no agent for this environment.
        """
        ...


def prepared_problem(state: State, protocol: type, stage: str) -> Any:
    """Return the problem of a run as an engine takes it.

    Parameters
    ----------
    state
        Of the run.
    protocol
        One of this module's.
    stage
        Name of the engine's class, for a message.

    Raises
    ------
    TypeError
        If it lacks a method of the protocol, which it then names.
    """
    problem = vars(state).get("prepared", state.problem)
    check_methods(problem, protocol, stage)
    return problem


def check_methods(problem: Any, protocol: type, stage: str) -> None:
    """Raise a TypeError, as `prepared_problem` does, for a problem that lacks methods."""
    lacking = missing_methods(problem, protocol)
    if lacking:
        raise TypeError(
            f"{stage} needs a problem with {', '.join(lacking)} "
            f"(schoolbell.stages.problem.{protocol.__name__}), got {type(problem).__name__}; "
            "no stage before it makes one of it"
        )


def prepared_or_none(state: State, protocol: type) -> Any:
    """Return the problem of a run as an engine takes it; None as long as there is none."""
    problem = vars(state).get("prepared", state.problem)
    return None if missing_methods(problem, protocol) else problem


def missing_methods(problem: Any, protocol: type) -> list[str]:
    """Name the methods and properties of a protocol that an object or a class lacks."""
    return [
        name
        for name in vars(protocol)
        if name[0] != "_" and inspect.getattr_static(problem, name, None) is None
    ]

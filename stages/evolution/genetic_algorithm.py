"""A genetic algorithm whose children are annealed."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..batch import Batch
from ..budget import Budget
from ..problem import Breedable, check_methods, prepared_or_none, prepared_problem
from ..pulse import Pulse
from ..stage import Stage
from ..state import State
from ..tasks.waiting import run_aside
from .evolution import LARGE_ONES_SPEED, SECONDS_OF_AN_ITEM, Evolution

# Children's generations without a time limit, where the user says nothing.
GENERATIONS = 6


class GeneticAlgorithm(Stage):
    """Evolve a population of solutions; every child is annealed.

    The problem is a `schoolbell.stages.problem.Breedable`. The first generations make the
    founders: the solution that the stages before left and greedy ones (timetables whose
    lectures are placed in different orders), annealed from a high temperature. Each later
    generation selects pairs of parents by tournament, crosses them by clusters of nodes
    (the courses of a timetable), mutates the child by reheating it and
    lets it cool. A child replaces the worst individual that it beats, or its
    near twin; the best always stays. The population lives on islands, whose best
    visit each other now and then.

    A few long anneals find more than many short ones, so a generation takes long. The
    unit is a step of it: all its anneals are carried on by a part of their moves or, with
    a time limit, for a fraction of a second, and a batch tells where they are. Of the
    parameters that may change meanwhile, `kempe`, `violation` and `final_temperature`
    count for the anneals in progress from the next step on, the others for the
    individuals that are made next.

    Reported are the mean cost of the population and its ``diversity``, the mean
    distance to its best individual (the part of the lectures that are in another
    period), founders in the
    making included as far as they have come; and of the anneals in progress the mean
    ``temperature`` and the mean cost of their present solutions, ``anneal_cost``.

    Parameters
    ----------
    generations
        Generations of children after the founders. None for 6, or for as many as a
        time limit leaves time for; a number holds with a time limit too, and the
        children then share the time that the founders leave.
    population
        Individuals kept on all islands together, at least 2; fewer where a time
        limit is too short to anneal so many founders well.
    offspring
        Individuals made in a generation; with a time limit no more than there are
        workers.
    founder_moves, child_moves
        Moves proposed in a founder's and in a child's anneal, for each lecture
        or other item of the problem; with a time limit the time decides.
    founder_share
        Part of the time limit that the founders take.
    founder_temperature, final_temperature
        Where a founder's anneal begins, and where all of them end, in units of
        weighted cost.
    reheats
        Temperatures to which children are reheated, tried in turn and then
        chosen by what they won.
    islands
        Parts of the population that breed among themselves; fewer if the
        population is too small for two on each.
    migration
        Generations of children after which the best of each island comes to the
        next one as well.
    tournament
        Individuals from which the better is taken as a parent.
    crossover
        Part of the children that have clusters from a second parent; the others are
        their first parent, reheated.
    kempe
        Part of the proposed moves that are Kempe chains, on an instance of the usual kind;
        other problems may have compound moves of another kind.
    violation
        Cost that one violation counts as.

    Notes
    -----
    Temperatures and `violation` are for instances and formulations in which moving a
    lecture can win about as much as in those of ITC-2007 under UD2. Where courses are
    in more curricula or weights are higher, so that it can win s times as much, the
    founders' temperature and `violation` are s times as high, and the reheats and the
    final temperature sqrt(s) times. Kempe chains are then proposed s times as often, up
    to 1.7 times.
    """

    __module__ = "schoolbell.stages"

    name = "ga"
    needs = ("prepared",)
    leaves = ("solution",)
    unit = "step"
    share = 75.0
    label = "Genetic algorithm"
    metrics = ("population_mean", "diversity", "temperature", "anneal_cost")
    tunable = (
        "offspring",
        "founder_moves",
        "child_moves",
        "founder_share",
        "founder_temperature",
        "final_temperature",
        "tournament",
        "crossover",
        "kempe",
        "violation",
    )
    only_improves = True
    goals = ("min",)

    def __init__(
        self,
        generations: int | None = None,
        population: int = 6,
        offspring: int = 2,
        founder_moves: int = 200_000,
        child_moves: int = 100_000,
        founder_share: float = 0.6,
        founder_temperature: float = 30.0,
        final_temperature: float = 0.16,
        reheats: tuple[float, ...] = (1.0, 2.0, 4.0),
        islands: int = 2,
        migration: int = 3,
        tournament: int = 2,
        crossover: float = 1.0,
        kempe: float = 0.15,
        violation: float = 100.0,
    ) -> None:
        if generations is not None:
            _at_least("generations", generations, 0)
        self.generations = generations
        self.population = _at_least("population", population, 2)
        self.offspring = _at_least("offspring", offspring, 1)
        self.founder_moves = _at_least("founder_moves", founder_moves, 1)
        self.child_moves = _at_least("child_moves", child_moves, 1)
        self.founder_share = _within("founder_share", founder_share, 0.0, 1.0)
        self.final_temperature = _within("final_temperature", final_temperature, 1e-6, 1e6)
        self.founder_temperature = _within(
            "founder_temperature", founder_temperature, final_temperature, 1e6
        )
        self.islands = _at_least("islands", islands, 1)
        self.migration = _at_least("migration", migration, 1)
        if not reheats:
            raise ValueError("reheats needs at least one temperature")
        for reheat in reheats:
            _within("reheats", reheat, final_temperature, 1e6)
        self.reheats = tuple(reheats)
        self.tournament = _at_least("tournament", tournament, 1)
        self.crossover = _within("crossover", crossover, 0.0, 1.0)
        self.kempe = _within("kempe", kempe, 0.0, 1.0)
        self.violation = _within("violation", violation, 1.0, 1e6)
        self._evolution: Evolution | None = None
        self._loaded: dict[str, Any] | None = None

    def check_needs(
        self, before: Mapping[str, str], after: Mapping[str, str], problem: Any, initial: Any
    ) -> None:
        """Raise a TypeError where neither a stage before nor `fit` gives a problem for it."""
        if "prepared" not in before:
            check_methods(problem, Breedable, type(self).__name__)

    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Evolve; each step of a generation is a batch."""
        loaded, self._loaded = self._loaded, None
        problem: Breedable = prepared_problem(state, Breedable, type(self).__name__)
        breeding = yield from run_aside(problem.breed)
        self._evolution = Evolution(self, problem, breeding, state, budget)
        try:
            if loaded is not None:
                yield from self._evolution.go_on(loaded)
            yield from self._evolution.run()
        finally:
            self._evolution = None

    @property
    def generations_without_limit(self) -> int:
        """Generations of children where no time decides."""
        return GENERATIONS if self.generations is None else self.generations

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return what all moves take, at a usual speed or a measured one; without a time limit."""
        problem = prepared_or_none(state, Breedable)
        if problem is None or time_limit is not None:
            return None
        children = self.generations_without_limit * self.offspring
        moves = self.population * self.founder_moves + children * self.child_moves
        at_once = max(1, min(state.workers, self.offspring))
        speed = getattr(problem, "measured_speed", None)
        if speed is None:
            speed = LARGE_ONES_SPEED * problem.moves_per_second
        made = self.population + children
        return (moves / speed + made * SECONDS_OF_AN_ITEM) * problem.n_items / at_once

    def state_dict(self) -> dict[str, Any]:
        """Return the population, the anneals in progress, and what has been learned."""
        return {} if self._evolution is None else self._evolution.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take it back; `run` checks it."""
        self._loaded = state or None


def _at_least(name: str, value: int, least: int) -> int:
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")
    return value


def _within(name: str, value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise ValueError(f"{name} must be from {least} to {most}, got {value}")
    return value

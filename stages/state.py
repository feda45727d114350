"""What the stages of one run share."""

import copy as copying
import math
import pickle
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import Any, Literal

import numpy as np

from .offered import NOT_GIVEN, as_cost, as_violations, proves_optimal, rank
from .plain_data import as_count, as_number, copy_plain

# What the run gives, a backup keeps in another form, or is nobody's but the state's.
_NOT_SAVED = {"problem", "seed", "executor", "workers", "initial", "solution", "goal"}
# What belongs to one run in one process, and no copy has.
_OF_THE_RUN = ("executor", "_announce", "_alert")


class State:
    """The problem, the best solution so far, and what each stage leaves for the next.

    Any attribute may be set; reading one that no stage has set raises an
    AttributeError that says so. A copy or a pickle of the state is without the
    executor, and without what cannot be copied or pickled of what stages have
    left here: reading that there says so too.

    Parameters
    ----------
    problem
        What `Pipeline.fit` was given.
    seed
        Seed of the run; every stage derives its own with `seed_sequence`.
    executor
        Where a stage submits work that is to run aside.
    workers
        Number of tasks that the executor runs at once.
    initial
        What `Pipeline.fit` was given to start from; None for nothing.
    announce
        Called, from any thread, whenever `offer` took a new best.
    alert
        Called, from any thread, whenever `prove` took a tighter bound, and
        when `rule_out` was given reasons.
    goal
        ``"min"`` where a lower cost is better, ``"max"`` where a higher one is.

    Attributes
    ----------
    solution
        The best solution so far; None before the first.
    cost, violations
        Its cost and its number of violated hard constraints; None before the
        first solution.
    counts_violations
        Whether any stage has said of a solution how many it violates: where none
        has, nobody is shown that there are 0.
    bound
        A proven lower bound of what solutions without violations cost (an upper
        one where the goal is ``"max"``); None when none is known. A stage that
        proves one calls `prove`.
    infeasible_because
        Reasons, in words, why every solution has violations; none by default, which
        proves nothing. A stage that finds some calls `rule_out`.
    present
        Returns what a notebook shows of a solution, for example its cost by
        constraint: an object with ``_repr_html_``. None for the solution itself.
    overtime
        Seconds that the run's time limit does not count, added up by stages
        that do something once on a machine: the first compilation.
    version
        How many times `offer` took a new best.
    """

    __module__ = "schoolbell.stages"

    def __init__(
        self,
        problem: Any,
        *,
        seed: int,
        executor: Executor,
        workers: int = 1,
        initial: Any = None,
        announce: Callable[[], None] | None = None,
        alert: Callable[[], None] | None = None,
        goal: Literal["min", "max"] = "min",
    ) -> None:
        self.problem = problem
        self.seed = seed
        self.executor = executor
        self.workers = workers
        self.initial = initial
        self._announce = announce
        self._alert = alert
        self.solution: Any = None
        self.cost: float | None = None
        self.violations: int | None = None
        self.goal: Literal["min", "max"] = goal
        self.counts_violations = False
        self.bound: float | None = None
        self.infeasible_because: tuple[str, ...] = ()
        self.present: Callable[[Any], Any] | None = None
        self.overtime = 0.0
        self.version = 0
        self._pack: Callable[[Any], Any] = copy_plain
        self._unpack: Callable[[Any], Any] = copy_plain
        # The best solution as plain data, until a stage says what to make of it.
        self._packed: Any = None
        self._tells_packed = True
        self._objects: list[str] = []
        self._lost: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_lost", ()):
            raise AttributeError(
                f"the state has no {name!r} any more: it could not be copied or pickled"
            )
        raise AttributeError(
            f"the state has no {name!r}: no stage that ran before has left it there"
        )

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __getstate__(self) -> dict[str, Any]:
        return self._portable(_through_pickle)

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def __deepcopy__(self, memo: dict[int, Any]) -> "State":
        new = memo[id(self)] = State.__new__(type(self))
        new.__setstate__(self._portable(lambda value: copying.deepcopy(value, memo)))
        return new

    def _portable(self, take: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the attributes as `take` returns them, without those where it raises."""
        own = ("_pack", "_unpack", "problem", "initial", "present")
        kept: dict[str, Any] = {"_announce": None, "_alert": None}
        lost = [*self._lost, "executor"]
        for name, value in vars(self).items():
            if name in _OF_THE_RUN or name == "_lost":
                continue
            try:
                kept[name] = take(value)
            except Exception:
                # Whatever it raised: there are as many ways as there are kinds of objects.
                if name in own:
                    kept[name] = copy_plain if name.startswith("_") else None
                else:
                    lost.append(name)
        return kept | {"_lost": list(dict.fromkeys(lost))}

    @property
    def optimal(self) -> bool:
        """Whether the best solution is proved to be one that nothing can better."""
        if self.solution is None:
            return False
        return proves_optimal(self.cost, self.violations, self.bound, self.goal == "max")

    def prove(self, bound: float) -> None:
        """Take a proven lower bound of what solutions without violations cost.

        The greatest one is kept. Once the best solution costs no more, the
        runner ends every stage that `only_improves`. NaN proves nothing. Where
        the goal is ``"max"``, it is an upper bound, of which the least is kept.

        Raises
        ------
        TypeError, ValueError
            For a bound that is no real number.
        """
        bound = as_cost(bound, "bound")
        if math.isnan(bound):
            return
        if self.bound is None or (bound < self.bound if self.goal == "max" else bound > self.bound):
            self.bound = bound
            if self._alert is not None:
                self._alert()

    def rule_out(self, reasons: Iterable[str]) -> None:
        """Take reasons, in words, why no solution can be without violations.

        The run tells them at once and at its end, and goes on: the fewest
        violations are still wanted.
        """
        self.infeasible_because = tuple(reasons)
        if self.infeasible_because and self._alert is not None:
            self._alert()

    def seed_sequence(self, name: str, *key: int) -> np.random.SeedSequence:
        """Derive a stage's own random seeds from the run's.

        Parameters
        ----------
        name
            Name of the stage.
        *key
            Numbers that tell streams of one stage apart: a generation, a cluster.
        """
        return np.random.SeedSequence(self.seed, spawn_key=(zlib.crc32(name.encode()), *key))

    def offer(
        self, solution: Any, cost: float, violations: int = NOT_GIVEN, *, copy: bool = False
    ) -> bool:
        """Make `solution` the best one if it is better than the best so far.

        Fewer violations are better; with as many, a lower cost, or a higher one
        where the pipeline's goal is ``"max"``. A cost of NaN is
        never better than a number, however many violations that has, and any
        number is better than NaN. The runner calls `on_solution` after the
        stage's next yield.

        Parameters
        ----------
        solution
            The solution. The object itself is kept: a stage that goes on
            changing it offers a `copy`, or the run would end with a solution
            that does not have the run's cost.
        cost
            Its cost, any real number; one of NumPy's, a `Decimal` and an array
            of one number become Python's own.
        violations
            Number of hard constraints that it violates, a whole number from 0. Of a
            problem that has none it is left out: then nobody is shown any.
        copy
            Keep a deep copy (`copy.deepcopy`), which is made only of a new best.

        Returns
        -------
        bool
            Whether it became the best.

        Raises
        ------
        TypeError
            For a cost or violations that are no real numbers.
        ValueError
            For violations that are not whole or below 0.
        """
        given = violations is not NOT_GIVEN
        cost, violations = as_cost(cost), as_violations(violations) if given else 0
        rising = self.goal == "max"
        best = None
        if self.cost is not None and self.violations is not None:
            best = rank(self.cost, self.violations, rising)
        if given:
            self.counts_violations = True
        if best is not None and rank(cost, violations, rising) >= best:
            return False
        self.solution = copying.deepcopy(solution) if copy else solution
        self.cost = cost
        self.violations = violations
        self.version += 1
        self._packed = None
        if self._announce is not None:
            self._announce()
        return True

    def pack_solutions(self, pack: Callable[[Any], Any], unpack: Callable[[Any], Any]) -> None:
        """Say how backups hold solutions; for a stage whose solutions are no plain data.

        A stage says so when it begins, and in its `restore`, for runs that are resumed
        after it.

        Parameters
        ----------
        pack
            Makes plain data of a solution (see `copy_plain`).
        unpack
            Makes a solution of them, or raises a ValueError.
        """
        self._pack, self._unpack = pack, unpack
        if self._packed is not None:
            self.solution, self._packed = unpack(self._packed), None

    def state_dict(self, save: Callable[[Any, str], Any] | None = None) -> dict[str, Any]:
        """Return the best solution and all plain data that stages have left here.

        Parameters
        ----------
        save
            Called with whatever is no plain data and its name, to make some of it, or
            to raise a TypeError; by default only plain data is taken.

        Raises
        ------
        TypeError
            For a solution that is no plain data, where nobody has called
            `pack_solutions`.
        """
        if save is not None:
            return self._saved_state(save)
        data, objects = {}, []
        for name, value in self.__dict__.items():
            if name.startswith("_") or name in _NOT_SAVED:
                continue
            try:
                data[name] = copy_plain(value)
            except TypeError:
                objects.append(name)
        solution, packed = self._packed_solution()
        return {"data": data, "objects": objects, "solution": solution, "packed": packed}

    def _packed_solution(self) -> tuple[Any, bool]:
        """Return the best solution as plain data, and whether a stage has made them of it."""
        if self._packed is not None:
            return copy_plain(self._packed), True
        packed = self._pack is not copy_plain
        return None if self.solution is None else copy_plain(self._pack(self.solution)), packed

    def _saved_state(self, save: Callable[[Any, str], Any]) -> dict[str, Any]:
        data, objects = {}, []
        for name, value in self.__dict__.items():
            if name.startswith("_") or name in _NOT_SAVED:
                continue
            try:
                data[name] = save(value, name)
            except TypeError:
                objects.append(name)
        if self._pack is copy_plain and self._packed is None:
            whole = save(self.solution, "its solution")
            return {"data": data, "objects": objects, "solution": None, "whole": whole}
        solution, packed = self._packed_solution()
        solution = save(solution, "its solution")
        return {"data": data, "objects": objects, "solution": solution, "packed": packed}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned.

        A solution that was packed is there only when a stage has called
        `pack_solutions` again.

        Raises
        ------
        ValueError
            For what `state_dict` cannot have returned.
        """
        for name, value in state["data"].items():
            if name.startswith("_") or name in _NOT_SAVED or hasattr(type(self), name):
                raise ValueError(f"the state has nothing of the name {name!r}")
            setattr(self, name, value)
        for name, check in (("cost", as_cost), ("violations", as_violations), ("bound", as_cost)):
            value = getattr(self, name)
            if value is not None:
                check(value)
        if "counts_violations" not in state["data"]:
            # Of a backup from when all solutions had them.
            self.counts_violations = self.violations is not None
        as_number(self.overtime, least=0)
        as_count(self.version)
        self._objects = [str(name) for name in state["objects"]]
        self._packed = state["solution"]
        # A backup of before they told has no such word: then it is found out at the end.
        self._tells_packed = "packed" in state
        if not state.get("packed", True):
            self.settle()
        if "whole" in state:
            self.solution = state["whole"]

    def complete(self, over: bool = False) -> None:
        """End the resumption: see that everything is there again.

        Parameters
        ----------
        over
            Whether all stages had ended, so that none is left that may yet call
            `pack_solutions` when it begins.

        Raises
        ------
        ValueError
            If something is missing that a backup cannot hold.
        """
        if not self._tells_packed:
            self.settle()
        if over and self._packed is not None:
            raise ValueError(
                "a stage has said by pack_solutions how backups hold solutions, "
                "and no stage's `restore` has said so again"
            )
        missing = [name for name in self._objects if name not in self.__dict__]
        if missing:
            raise ValueError(
                f"a stage left {', '.join(missing)} on the state, which is no plain data, "
                "and no stage's `restore` has made it again"
            )

    def settle(self) -> None:
        """Take a solution that no stage has unpacked for the plain data that a backup holds."""
        if self._packed is not None:
            self.pack_solutions(copy_plain, copy_plain)


def _through_pickle(value: Any) -> Any:
    """Return a value if it comes through a pickle; raise whatever it raises if it does not."""
    if value is not None and not isinstance(value, bool | int | float | str | bytes):
        pickle.loads(pickle.dumps(value))
    return value

"""The base class of stages."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar

from .batch import Batch
from .budget import Budget
from .errors import InputError
from .names import did_you_mean
from .pulse import Pulse
from .state import State


class Stage(ABC):
    """One step of a pipeline.

    A subclass sets the class attributes and writes `run`, a generator that
    yields after every finished unit of work. It stores the arguments of its
    constructor under their own names, as scikit-learn's estimators do, so that
    `get_params` and `set_params` work. It knows nothing of callbacks.

    Attributes
    ----------
    name
        The stage's name in logs, unique in a pipeline.
    unit
        What one unit is called, in the singular: ``"generation"``.
    share
        The stage's part of the whole run's progress; any positive number, the
        runner normalises them.
    time_share
        The stage's part of a time limit, likewise; None for the same as `share`.
    needs
        Names of what the stage takes from the state and cannot work without:
        attributes that stages before it leave there, ``"problem"`` and
        ``"initial"`` for what `fit` is given. A pipeline in which something is
        missing is refused before it runs. What a stage takes only where it is
        there is not among them.
    leaves
        Names of the attributes that the stage leaves on the state for others;
        ``"solution"`` where it offers solutions.
    metrics
        Names of the values that its batches' logs add; None for those of the
        first batch that has any. No later batch may have others.
    tunable
        Parameters that may change while the stage runs, and take effect from
        the next unit on; None for all, of a stage that reads each when it uses
        it.
    skippable
        Whether the pipeline works without what the stage does: only then does
        a request to skip it, or the end of its time, end it.
    only_improves
        Whether all that the stage does is to look for a better solution: then
        it ends as soon as the best one is proved to be optimal (`State.prove`).
    brief
        Whether the stage takes so little time that it may begin again in a
        resumed run: of one that keeps no state and is not brief, a run that is
        backed up warns at its beginning.
    incidental
        Parameters that have no part in what the stage finds, as the paths of
        its files: a resumed run may have other values.
    goals
        The goals of a pipeline that the stage can work for: ``("min",)`` of one that
        knows nothing but costs that are to fall.
    saved
        Names of attributes that make up the stage's own state, as in
        ``saved = ("generation", "population", "rng")``: every backup holds them, a
        resumed run has them set before `run` begins, and a new fit finds them as
        they were before the first. So `__init__` sets them, and `run` goes on from
        what it finds in them. They may hold what `state_dict` may, and beside that
        random generators of NumPy and Python, dataclasses, enumerations, named
        tuples, deques and arrays of objects, nested at will. Anything else is
        saved only by ``BackupAndRestore(pickle=True)``; without it a warning names
        it, and a run that is killed within the stage begins it again.
    """

    __module__ = "schoolbell.stages"

    name: str = "stage"
    unit: str = "batch"
    share: float = 1.0
    time_share: float | None = None
    needs: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    metrics: tuple[str, ...] | None = ()
    label: ClassVar[str | None] = None
    tunable: ClassVar[tuple[str, ...] | None] = None
    skippable: ClassVar[bool] = True
    only_improves: ClassVar[bool] = False
    brief: ClassVar[bool] = False
    incidental: ClassVar[tuple[str, ...]] = ()
    goals: ClassVar[tuple[str, ...]] = ("min", "max")
    saved: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def run(self, state: State, budget: Budget) -> Iterator[Batch | Pulse | None]:
        """Do the work.

        Yield a `Batch` after every finished unit, and a `Pulse`, which tells how
        much of the unit is done, or None, which does not, when half a second has
        passed and nothing is finished yet: between two yields the runner stops,
        pauses and saves. When the runner ends a stage early, it
        closes the generator: what must be stopped or awaited belongs in a
        ``finally``. A stage that ends on its own watches ``budget.should_end``.
        """

    def identify(self, problem: Any) -> str | None:
        """Return what tells the problem from any other one, such as a digest of its content.

        A backup is refused where the problem is another one. None, where the
        stage cannot tell.
        """
        return None

    def describe(self, problem: Any) -> dict[str, Any]:
        """Return what a run's file tells of the problem and of how it is taken.

        It stands at the top of the file, beside the seed, and in `Run.config`: texts and
        numbers by names that no other stage has. A parameter that is told here under its own
        name is one of the run's own options: the lists of the stage's parameters leave it out.

        Parameters
        ----------
        problem
            What `fit` was given; None where only the names are asked for.
        """
        return {}

    def check(self) -> None:  # noqa: B027 - most stages have nothing to look at
        """Find out before the run whether all is there that the stage will need.

        For what a constructor should not look at, a file say: an error here ends
        `fit` before any stage has worked. Raise what `run` would raise.
        """

    def check_problem(self, problem: Any, initial: Any) -> None:  # noqa: B027 - likewise
        """Find out before the run whether the stage can work on what `fit` was given.

        As `check`, for a stage that takes the problem, or the solution to start from,
        as it comes: that a file is there and can be read, say.
        """

    def check_needs(
        self, before: Mapping[str, str], after: Mapping[str, str], problem: Any, initial: Any
    ) -> None:
        """Find out before the run whether all will be there that the stage `needs`.

        Parameters
        ----------
        before, after
            What the stages before this one and those after it leave on the state, each with
            the name of a stage that does.
        problem, initial
            What `fit` was given.

        Raises
        ------
        InputError
            With the name of what will be missing, and of a stage that comes too late.
        """
        given = {"problem": problem, "initial": initial}
        for name in self.needs:
            if name in before or given.get(name) is not None:
                continue
            if name in given:
                advice = "give it to fit"
            elif name in after:
                advice = f"put stage {after[name]!r}, which does, before it"
            else:
                known = ", ".join(map(repr, before)) or "nothing"
                advice = f"they leave {known}{did_you_mean(name, before)}"
            raise InputError(
                f"stage {self.name!r} needs {name!r}, which no stage before it leaves: {advice}"
            )

    def check_beside(self, stages: "Sequence[Stage]") -> None:  # noqa: B027 - likewise
        """Find out before the run whether the stage can work beside the others.

        As `check`, with all stages of the pipeline in their order, this one among them.
        """

    @property
    def prepares(self) -> type | None:
        """The class of what `run` leaves on the state as ``prepared``, for later engines.

        Another stage may ask it what it can (see `schoolbell.stages.problem`). None for a
        stage that leaves no such object.
        """
        return None

    @property
    def keeps_state(self) -> bool:
        """Whether a resumed run goes on within the stage: by `saved` or a `state_dict`."""
        return bool(self.saved) or type(self).state_dict is not Stage.state_dict

    def expected_seconds(self, state: State, time_limit: float | None) -> float | None:
        """Return roughly what `run` will take on this problem, before it runs.

        On a usual machine: what the stage takes in hand is measured. It is asked
        before the run and now and then until the stage begins, when the stages
        before it may have left more on the state; so it answers at once, from a few
        numbers. Progress displays and the prediction of the time left use it.

        Parameters
        ----------
        state
            As the stages so far have left it; at first with nothing but the problem.
        time_limit
            Of the run; None where the stage spends its units.

        Returns
        -------
        float or None
            Seconds; None where nobody can tell, or where the stage spends all the
            time that a limit leaves it.
        """
        return None

    def state_dict(self) -> dict[str, Any]:
        """Return what the stage needs to go on later, beside the attributes named by `saved`.

        It is called after a `Batch` was yielded, in the thread that runs the
        stage, and means the state after that unit: what is in flight is done
        again. A dict of numbers, strings, bytes, arrays and None, in lists,
        tuples, dicts and sets (`copy_plain`), of which a copy is made at once.
        Anything else is left out of the backup and warned of once: of a random
        generator save ``rng.bit_generator.state``, say. An empty dict
        where there is nothing yet to go on from, or of a stage that keeps no
        state: a resumed run then begins the stage again, from what the stages
        before it left.
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned; the next `run` goes on from there.

        Only that one: before every other `fit` the runner sets the stage's
        attributes back to what they were before the first.

        Raises
        ------
        ValueError
            For what `state_dict` cannot have returned. What only `run` can
            check, since it depends on the problem, `run` checks.
        """
        if state:
            raise ValueError(f"stage {self.name!r} keeps no state, got {sorted(state)}")

    def restore(self, state: State, budget: Budget) -> Iterator[Pulse | None]:
        """Make again what the stage left on the state and a backup cannot hold.

        Called in a resumed run for each stage that had ended, in order, before
        any stage runs. Backups hold the attributes of the state that are plain
        data; a stage that leaves other objects for later stages makes them
        again here. It yields pulses, as `run` does.
        """
        yield from ()

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return list(_constructor_names(cls))

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters with their present values."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> "Stage":
        """Set parameters by name, between two runs.

        Raises
        ------
        ValueError
            For an unknown name, with the known ones, or an impossible value;
            then nothing is set.
        """
        if params:
            vars(self).update(vars(self._changed(params)))
        return self

    def change(self, **params: Any) -> "Stage":
        """Set parameters by name during a run: these and nothing that the run keeps here.

        Raises
        ------
        ValueError
            As for `set_params`.
        """
        changed = self._changed(params)
        for name in params:
            setattr(self, name, getattr(changed, name))
        return self

    def tune(self, **params: Any) -> "Stage":
        """Set parameters by name while the stage is at work.

        Raises
        ------
        ValueError
            As for `set_params`, and for a parameter that is not `tunable`.
        """
        for name in params:
            if self.tunable is not None and name not in self.tunable:
                raise ValueError(
                    f"parameter {name!r} of stage {self.name!r} cannot change while it runs; "
                    f"these can: {', '.join(self.tunable) or 'none'}"
                )
        return self.change(**params)

    def _changed(self, params: dict[str, Any]) -> "Stage":
        """Return a new stage of this kind with other parameters."""
        known = self._parameter_names()
        for name in params:
            if name not in known:
                raise ValueError(
                    f"stage {self.name!r} has no parameter {name!r}; "
                    f"it has {', '.join(known) or 'none'}{did_you_mean(name, known)}"
                )
        # Through the constructor, so that its checks hold for changed values too.
        try:
            return type(self)(**(self.get_params() | params))
        except TypeError as error:
            # Of a value of the wrong type the checks only say what they cannot do with it.
            present = self.get_params()
            given = ", ".join(f"{name}={value!r}" for name, value in params.items())
            like = ", ".join(f"{name}={present[name]!r}" for name in params)
            found = f"stage {self.name!r} does not take {given}"
            raise ValueError(f"{found}, expected something like {like}: {error}") from error

    def __repr__(self) -> str:
        values = ", ".join(f"{k}={v!r}" for k, v in self.get_params().items())
        return f"{type(self).__name__}({values})"


@cache
def _constructor_names(stage: type[Stage]) -> tuple[str, ...]:
    # Kept, since a callback may ask for parameters in every batch.
    parameters = inspect.signature(stage.__init__).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(p.name for p in parameters if p.name != "self" and p.kind in kinds)

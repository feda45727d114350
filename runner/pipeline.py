"""Runs stages one after another and lets callbacks watch."""

import asyncio
import contextvars
import math
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from ..callbacks import ArgumentError, Callback, CallbackList, History
from ..callbacks.names import did_you_mean
from ..callbacks.parameters import public_parameters
from ..callbacks.safe_warning import warn_safely
from ..callbacks.vocabulary import CANCELLED, CORE_COLUMNS, GOALS, MIN
from ..stages import Stage
from ..stages.files.check_writable import check_writable
from ..stages.tasks.daemon_pool import DaemonPool
from .config.config_file import ConfigFile
from .config.run_config import describe
from .engine.driver import Driver
from .engine.fresh_stages import check_saved, fresh
from .engine.interrupts import Interrupts
from .engine.run_spec import Goal, RunSpec
from .engine.stopwatch import Stopwatch
from .fit_arguments import (
    Verbose,
    check_callback_errors,
    check_executor,
    check_timings,
    checked_callbacks,
    checked_job_id,
    checked_seed,
    checked_started,
    checked_time_limit,
    checked_workers,
    shows_progress,
    with_display,
    workers_of,
)
from .progress.progress_tracker import Follow, ProgressTracker
from .progress.timings import Timings
from .results.run import Run, infeasible_words
from .tracebacks import hide_own_frames, hiding_own_frames

# Seconds between two looks at a run in asyncio.
_WAKE = 0.2


class Pipeline:
    """Stages that are run one after another on one problem.

    Parameters
    ----------
    stages
        The stages, in order; their names must differ.
    name
        What to call the pipeline in displays.
    goal
        ``"min"``: a lower cost is better; ``"max"``: a higher one is. Everything
        that compares costs follows: what stages offer and prove, callbacks with
        ``mode="auto"``, displays and drawings. Fewer violations come first in any
        case.

    Raises
    ------
    TypeError
        For a stage that is not a `Stage`.
    ValueError
        For another goal, for no stages, for two of one name, for a share that is not a positive
        number, and for a metric with the name of a core column of the logs.

    Examples
    --------
    >>> from schoolbell.stages import CPSAT, Load
    >>> from schoolbell.stages.timetable import generate
    >>> pipeline = Pipeline([Load(), CPSAT(effort=0.01)])
    >>> run = pipeline.fit(generate(courses=12), time_limit=30, verbose=False)
    >>> run.status, run.violations
    ('finished', 0)
    """

    __module__ = "schoolbell.runner"

    def __init__(self, stages: Iterable[Stage], name: str | None = None, goal: Goal = MIN) -> None:
        self.stages = _checked_stages(stages)
        self.name = name
        self.goal: Goal = _checked_goal(goal, self.stages)
        #: What the last `fit` found, or is finding; also when it raised.
        self.run: Run | None = None
        self._driver: Driver | None = None
        # What its callbacks know of the run.
        self._about: dict[str, Any] = {}
        self._running = False
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        # A copy has what the last run found, but cannot track or steer it.
        own = ("_driver", "_running", "_lock")
        return {name: value for name, value in vars(self).items() if name not in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # One that was pickled before pipelines had a goal.
        vars(self).update({"goal": MIN, **state})
        self._driver = None
        self._running = False
        self._lock = threading.Lock()

    @hiding_own_frames
    def fit(
        self,
        problem: Any = None,
        callbacks: Sequence[Callback] | Callback | None = None,
        seed: int = 0,
        time_limit: float | None = None,
        workers: int | None = None,
        executor: Executor | None = None,
        initial: Any = None,
        verbose: Verbose = "auto",
        callback_errors: Literal["raise", "warn"] = "raise",
        job_id: str | None = None,
        *,
        started: float | None = None,
        timings: str | os.PathLike[str] | Run | None = None,
        shares: Follow = "time",
    ) -> Run:
        """Run the stages.

        Fitting again begins anew: with the parameters that the stages had, and
        with nothing of what a stage keeps for its `Stage.state_dict`.

        Parameters
        ----------
        problem
            What the stages work on; they find it as ``state.problem``.
        callbacks
            Who watches, called in this order; a `History` is always there.
        seed
            0 or more. The same seed and the same budgets in units give the same
            solution with any number of workers.
        time_limit
            Seconds for the whole call, any kind of number, divided by the stages' shares; what one
            leaves the next ones get. Pauses do not count. None, or infinity, lets
            every stage spend its units.
        workers
            Tasks that run at once; by default as many as the executor runs, where it tells,
            else the number of usable processors.
        executor
            Where stages submit their tasks: any of `concurrent.futures`, loky's,
            MPI's, Dask's ``Client.get_executor(pure=False)``; threads by default,
            which the process does not wait for at its end. One that is given is not
            shut down; what it still runs for a stage that has ended is broken off where
            its workers are processes of this machine.
        initial
            A solution to start from.
        verbose
            ``"auto"`` or True for a `ProgbarLogger` that suits the place,
            ``"notebook"``, ``"rich"``, ``"tqdm"`` or ``"plain"`` for one of that
            style, False for none. One among `callbacks` is enough: then none is added.
        callback_errors
            ``"raise"`` lets an exception in a callback end the run; ``"warn"``
            warns of it once and switches that callback off.
        job_id
            The run's id, 1 to 100 letters, digits and signs without blanks and
            slashes; made from date, time and chance by default.
        started
            Value of ``time.monotonic()`` from which to count the time, for a
            program whose start-up is to be within the limit.
        timings
            What stages took before, for a better prediction of the time left: a
            file, which is read if it is there and written at the end of the run,
            or an earlier run.
        shares
            What the stages' parts of the progress follow: ``"time"`` for the time
            that each is expected to take, so that half of the bar is about half of
            the run, where a time limit or timings from before tell that, and the
            stages' shares where they do not; ``"work"`` for the shares always.

        Returns
        -------
        Run
            What it found. Ctrl-C, SIGTERM and SIGHUP end the run, which is
            returned with the best so far and the status ``"interrupted"``; what
            then becomes of the program is the caller's affair. A second one
            while the run is ending raises at once: KeyboardInterrupt for Ctrl-C,
            SystemExit with status 143 or 129 for the others. So it is in the
            main thread, unless the program handles or ignores the signal
            itself; its handlers are put back at the end.

        Notes
        -----
        Tracebacks of what it raises are without this package's own frames, unless
        the environment's ``SCHOOLBELL_TRACEBACKS`` is ``full``.

        Raises
        ------
        ArgumentError
            For an argument that makes no sense, a ValueError and a TypeError alike;
            before anything has run.
        RuntimeError
            While the pipeline, or one of the callbacks, is at work in another
            `fit`; before anything has run.
        CallbackError
            When a callback raised (unless ``callback_errors="warn"``).
        Exception
            What a stage's `check`, `check_problem` or `check_needs` raised, where stages do
            not fit together say; before anything has run.
        FormatError, OSError
            For a file of timings that is none, or cannot be read or written;
            before anything has run.
        Exception
            What a stage raised, with a note that names the stage and the batch.
            The failed run is then at `run`.
        """
        watchers = with_display(checked_callbacks(callbacks, problem), verbose)
        check_callback_errors(callback_errors)
        goal = _checked_goal(self.goal, self.stages)
        seed, time_limit = checked_seed(seed), checked_time_limit(time_limit)
        workers = checked_workers(workers) or workers_of(executor) or _usable_processors()
        job_id = checked_job_id(job_id) or _new_job_id()
        started = checked_started(started)
        check_executor(executor)
        check_timings(timings)
        if shares not in ("work", "time"):
            raise ValueError(f'shares must be "work" or "time", got {shares!r}')
        with ExitStack() as alone:
            alone.enter_context(self._alone())
            for stage in self.stages:
                check_saved(stage)
            alone.enter_context(fresh(self.stages))
            known = _known_timings(timings)
            watch = Stopwatch(started)
            _check_needs(self.stages, problem, initial)
            for stage in self.stages:
                stage.check()
                stage.check_problem(problem, initial)
                stage.check_beside(self.stages)
            history = History()
            watchers = CallbackList([history, *watchers], callback_errors, sampled=[history])
            alone.enter_context(watchers.watching())
            pool = executor or DaemonPool(workers)
            try:
                spec = RunSpec(
                    stages=self.stages,
                    problem=problem,
                    initial=initial,
                    job_id=job_id,
                    seed=seed,
                    time_limit=time_limit,
                    workers=workers,
                    executor=pool,
                    timings=known.of_stages(limited=time_limit is not None),
                    shares=shares,
                    goal=goal,
                )
                tell = _tell_infeasible if shows_progress(watchers) else None
                driver = Driver(spec, watchers, history, watch, tell)
                self._driver, self.run = driver, driver.run
                watchers.set_pipeline(self)
                params = self._params(job_id, seed, time_limit, workers)
                params["callbacks"] = _descriptions(watchers)
                driver.run.config = describe(params, self.stages, problem)
                self._about = params
                watchers.set_params(params)
                watchers.check()
                try:
                    with Interrupts(driver.board):
                        return driver.execute()
                finally:
                    if isinstance(timings, str | os.PathLike):
                        _keep_timings(known, driver.run, timings)
            finally:
                if executor is None:
                    # Not waiting: a task that a stage has left behind must not hold up its end.
                    pool.shutdown(wait=False, cancel_futures=True)

    async def afit(self, problem: Any = None, *args: Any, **kwargs: Any) -> Run:
        """Run the stages in a thread of their own, for asyncio; arguments as for `fit`.

        Cancelling it stops the run after the unit in hand, waits for that, and
        leaves the best so far at `run`. Signals are the event loop's affair:
        ``loop.add_signal_handler(signal.SIGTERM, task.cancel)``.
        """
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        thread = DaemonPool(1, "schoolbell-fit")
        try:
            future = loop.run_in_executor(
                thread, lambda: context.run(self.fit, problem, *args, **kwargs)
            )
            try:
                # Not one long wait: a signal's handler that cancels the task, as a notebook's stop
                # button has it, does not wake the loop.
                while not future.done():
                    await asyncio.wait([future], timeout=_WAKE)
                return future.result()
            except asyncio.CancelledError:
                # Again and again, since the thread may not have come to where it can be stopped.
                while not future.done():
                    self.stop(by=CANCELLED)
                    await asyncio.wait([future], timeout=0.05)
                raise
            except GeneratorExit:
                # The loop was closed: nobody waits any more.
                self.stop(by=CANCELLED)
                raise
            except Exception as error:
                hide_own_frames(error)
                raise
        finally:
            thread.shutdown(wait=False)

    def stop(self, by: str | None = None) -> None:
        """End the run after the unit in hand; from any thread.

        Parameters
        ----------
        by
            Who asks, for the run's ``stopped_by``: by default the class of the
            callback in whose hook this is called, ``"program"`` elsewhere.
        """
        if self._running and self._driver is not None:
            self._driver.stop(by)

    def add_metrics(self, values: Mapping[str, Any]) -> None:
        """Put values into the logs of every batch from now on, beside the stages' metrics.

        For callbacks that measure something; from any thread, during a run.

        Parameters
        ----------
        values
            Numbers or short texts by name. A stage's own metric of the name comes first.

        Raises
        ------
        ValueError
            For the name of a core column.
        """
        if self._running and self._driver is not None:
            self._driver.add_metrics(values)

    def skip_stage(self, by: str | None = None) -> None:
        """End the present stage after the unit in hand and go on with the next; from any thread.

        A stage that is not `skippable`, since no other works without it, goes on.

        Parameters
        ----------
        by
            Who asks, for the ``stopped_by`` of the stage; as for `stop`.
        """
        if self._running and self._driver is not None:
            self._driver.skip_stage(by)

    def pause(self) -> None:
        """Halt the run, and its clock, after the unit in hand; from any thread."""
        if self._running and self._driver is not None:
            self._driver.board.pause()

    def resume(self) -> None:
        """Go on after `pause`; from any thread."""
        if self._running and self._driver is not None:
            self._driver.board.resume()

    def save(self, path: str | os.PathLike[str], pickle: bool = False) -> None:
        """Write a backup of the whole run to a file, in the background.

        For callbacks, to be called from ``on_batch_end`` or ``on_stage_end``:
        what is saved is the run as it stands when all hooks of that event have
        been called. Within a stage that keeps no state it is saved when that
        has ended. When the file cannot be written, that is warned of once, and
        the run goes on.

        Parameters
        ----------
        path
            The file.
        pickle
            Whether to pickle what a backup has no place for.
        """
        if self._running and self._driver is not None:
            self._driver.backups.pickles = self._driver.backups.pickles or pickle
            self._driver.board.save(Path(path))

    def restore(self, path: str | os.PathLike[str], pickle: bool = False) -> bool:
        """Let the run that is about to begin go on from a backup.

        For callbacks, to be called before any hook (from `Callback.set_params`).
        The run is also saved to `path` when it is stopped by a command.

        Parameters
        ----------
        path
            The file.
        pickle
            Whether to unpickle what was pickled, and to pickle likewise. Whoever can
            change the file can then run code in this process.

        Returns
        -------
        bool
            Whether it goes on; False if there is no such file.

        Raises
        ------
        BackupError
            If the backup cannot be read, is damaged, or is one of another
            problem, other stages or parameters, another seed or time limit.
        """
        if self._driver is None:
            return False
        self._driver.backups.pickles = self._driver.backups.pickles or pickle
        if not self._driver.backups.restore(Path(path)):
            return False
        restored = self._driver.backups.ended_stages()
        # All callbacks hold this mapping, those too that were given it before.
        for stage in self._about["stages"]:
            stage["restored"] = restored.get(stage["name"])
        self._about["resumed"] = True
        return True

    @property
    def tracker(self) -> ProgressTracker:
        """Where the present run stands, or where the last one ended.

        Raises
        ------
        RuntimeError
            Before the first `fit`.
        """
        if self._driver is None:
            raise RuntimeError("nothing to track: the pipeline has not run yet")
        return self._driver.tracker

    @property
    def progress(self) -> float:
        """Smooth progress of the present or last run, 0 to 1."""
        return 0.0 if self._driver is None else self._driver.tracker.calculate_smooth_progress()

    def get_params(self) -> dict[str, Any]:
        """Return the parameters of all stages as ``{"ga__population": 8, …}``."""
        return {
            f"{stage.name}__{name}": value
            for stage in self.stages
            for name, value in stage.get_params().items()
        }

    def set_params(self, **params: Any) -> "Pipeline":
        """Set parameters of stages: ``set_params(ga__population=8)``.

        While the pipeline runs, a callback may do so too; of the stage that is
        at work only the parameters that it declares `tunable` can change. What
        is changed so is set back when the next `fit` begins, unless it is set
        again before.

        Raises
        ------
        ValueError
            For a stage or parameter that does not exist, or cannot change now;
            then nothing is set. For an impossible value; then nothing is set of
            that stage and of those after it.
        """
        by_stage: dict[str, dict[str, Any]] = {}
        known = self.get_params()
        for name, value in params.items():
            stage, separator, parameter = name.partition("__")
            if not separator or stage not in {one.name for one in self.stages}:
                names = ", ".join(one.name for one in self.stages)
                raise ValueError(
                    f"no parameter {name!r}: write it as STAGE__PARAMETER, where the stage is "
                    f"one of {names}{did_you_mean(stage, (one.name for one in self.stages))}"
                )
            if name not in known:
                own = [key.partition("__")[2] for key in known if key.startswith(f"{stage}__")]
                raise ValueError(
                    f"stage {stage!r} has no parameter {parameter!r}; "
                    f"it has {', '.join(own) or 'none'}{did_you_mean(parameter, own)}"
                )
            by_stage.setdefault(stage, {})[parameter] = value
        for stage in self.stages:
            if stage.name in by_stage:
                self._setter(stage)(**by_stage[stage.name])
        return self

    def _setter(self, stage: Stage) -> Callable[..., Stage]:
        """Return what sets a stage's parameters at this moment."""
        if not self._running:
            return stage.set_params
        at_work = self._driver is not None and stage is self._driver.at_work
        return stage.tune if at_work else stage.change

    def __repr__(self) -> str:
        goal = "" if self.goal == MIN else f", goal={self.goal!r}"
        return f"Pipeline([{', '.join(map(repr, self.stages))}]{goal})"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("this pipeline is running already; use another one beside it")
        self._driver = None
        self._running = True
        try:
            yield
        finally:
            self._running = False
            self._lock.release()

    def _params(
        self, job_id: str, seed: int, time_limit: float | None, workers: int
    ) -> dict[str, Any]:
        tracker = self.tracker
        return {
            "pipeline": self.name,
            "job_id": job_id,
            "seed": seed,
            "time_limit": time_limit,
            "workers": workers,
            "goal": self.goal,
            "parameters": self._readable_parameters(),
            "stages": [
                {
                    "name": stage.name,
                    "label": tracker.label(stage.name),
                    "unit": stage.unit,
                    "metrics": None if stage.metrics is None else tuple(stage.metrics),
                    "start": tracker.bounds(stage.name)[0],
                    "end": tracker.bounds(stage.name)[1],
                    "tunable": stage.tunable,
                }
                for stage in self.stages
            ],
        }

    def _readable_parameters(self) -> dict[str, Any]:
        parameters = {}
        for stage in self.stages:
            # A stage that keeps no attribute for a parameter runs all the same.
            with suppress(AttributeError):
                known = stage.get_params()
                parameters |= {f"{stage.name}__{name}": value for name, value in known.items()}
        return parameters


def _checked_stages(stages: Iterable[Stage]) -> list[Stage]:
    checked = list(stages)
    if not checked:
        raise ValueError("a pipeline needs at least one stage")
    names: set[str] = set()
    for stage in checked:
        if isinstance(stage, type) or not isinstance(stage, Stage):
            raise TypeError(
                f"a stage must be an instance of schoolbell.stages.Stage, got {stage!r}"
            )
        if stage.name in names:
            raise ValueError(f"two stages are called {stage.name!r}: give one another `name`")
        names.add(stage.name)
        if not (stage.share > 0 and math.isfinite(stage.share)):
            raise ValueError(
                f"the share of stage {stage.name!r} must be a positive number, got {stage.share}"
            )
        time_share = stage.time_share
        if time_share is not None and not (time_share > 0 and math.isfinite(time_share)):
            raise ValueError(
                f"the time_share of stage {stage.name!r} must be a positive number or None, "
                f"got {time_share}"
            )
        metrics = () if stage.metrics is None else stage.metrics
        if isinstance(metrics, str) or not all(isinstance(name, str) for name in metrics):
            raise TypeError(
                f"metrics of stage {stage.name!r} must be names or None, got {stage.metrics!r}"
            )
        for what in ("needs", "leaves"):
            said = getattr(stage, what)
            if isinstance(said, str) or not all(isinstance(name, str) for name in said):
                raise TypeError(f"{what} of stage {stage.name!r} must be names, got {said!r}")
        taken = sorted({*CORE_COLUMNS, "batch"}.intersection(metrics))
        if taken:
            raise ValueError(
                f"stage {stage.name!r} has a metric {taken[0]!r}, "
                "but the logs of every batch hold something of that name"
            )
    return checked


def _check_needs(stages: Sequence[Stage], problem: Any, initial: Any) -> None:
    """Refuse stages that do not fit together, before any of them works."""
    for number, stage in enumerate(stages):
        before, after = (
            {name: one.name for one in some for name in _left_by(one)}
            for some in (stages[:number], stages[number + 1 :])
        )
        stage.check_needs(before, after, problem, initial)


def _left_by(stage: Stage) -> tuple[str, ...]:
    return stage.leaves if stage.prepares is None else (*stage.leaves, "prepared")


def _checked_goal(goal: Any, stages: Iterable[Stage]) -> Goal:
    # A list, say, cannot even be looked for.
    if not isinstance(goal, str) or goal not in GOALS:
        advice = did_you_mean(goal, GOALS).lstrip("; ") if isinstance(goal, str) else ""
        raise ArgumentError.of("goal", '"min" or "max"', goal, advice)
    for stage in stages:
        # Of the class, since a stage may have a parameter of that name.
        if goal not in type(stage).goals:
            raise ArgumentError(
                f"goal cannot be {goal!r}, since stage {stage.name!r} works for "
                f"{' and '.join(map(repr, type(stage).goals))} alone"
            )
    return goal  # pyright: ignore[reportReturnType]


def _tell_infeasible(reasons: Iterable[str]) -> None:
    """Say at once that all that is left to hope for is few violations."""
    if sys.stderr is not None:
        # A run is not lost for want of somebody to listen.
        with suppress(OSError, ValueError):
            print("\n".join(map(infeasible_words, reasons)), file=sys.stderr)


def _known_timings(timings: str | os.PathLike[str] | Run | None) -> Timings:
    known = Timings()
    if isinstance(timings, Run):
        known.add(timings)
    elif timings is not None:
        check_writable(Path(timings))
        known = Timings.read(timings)
    return known


def _keep_timings(known: Timings, run: Run, path: str | os.PathLike[str]) -> None:
    known.add(run)
    try:
        known.write(path)
    except OSError as error:
        # No reason to lose a run.
        message = f"the timings could not be written to {path}: {error}"
        warn_safely(message, stacklevel=2)


def _descriptions(callbacks: Iterable[Callback]) -> list[dict[str, Any]]:
    """Tell which callbacks watch and with which parameters, without secrets."""
    told = []
    for callback in callbacks:
        if isinstance(callback, History | ConfigFile):
            continue
        parameters = {}
        # A callback that keeps no attribute for a parameter watches all the same.
        with suppress(AttributeError):
            parameters = public_parameters(callback.get_params())
        told.append({"name": type(callback).__name__, "parameters": parameters})
    return told


def _usable_processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _new_job_id() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"

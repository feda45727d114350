"""Makes a stage of a function."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, overload

from .function_stage import FunctionStage
from .report import Report


@overload
def as_stage(
    function: Callable[[Report], Any],
    *,
    unit: str = "step",
    metrics: Sequence[str] | None = None,
    name: str | None = None,
    share: float = 1.0,
    needs: Sequence[str] = (),
    leaves: Sequence[str] = (),
) -> FunctionStage: ...


@overload
def as_stage(
    function: None = None,
    *,
    unit: str = "step",
    metrics: Sequence[str] | None = None,
    name: str | None = None,
    share: float = 1.0,
    needs: Sequence[str] = (),
    leaves: Sequence[str] = (),
) -> Callable[[Callable[[Report], Any]], FunctionStage]: ...


def as_stage(
    function: Callable[[Report], Any] | None = None,
    *,
    unit: str = "step",
    metrics: Sequence[str] | None = None,
    name: str | None = None,
    share: float = 1.0,
    needs: Sequence[str] = (),
    leaves: Sequence[str] = (),
) -> Any:
    """Make a stage of a function that reports how far it is; a decorator or a call.

    For whatever calls back: a solver with a callback, a library with its own loop. The
    function is called with a `Report`, which it calls at the end of each unit::

        @as_stage(unit="trial", metrics=("value",))
        def tune(report):
            def told(study, trial):
                report(cost=study.best_value, solution=study.best_params, value=trial.value)

            study.optimize(objective, callbacks=[told])

    It runs in a thread of its own, and waits at a report for as long as the runner is
    busy: with hooks, a backup, a pause. When the stage is to end (a time limit, a stop, a
    callback, Ctrl-C), the next report raises `StageEnded` inside the function, which ends
    it; or, where the function has called ``report.on_end(solver.stop)``, that is called at
    once, and reports return True. A function that does neither for half a second is left
    behind in its thread, with a warning. What it raises ends the run, with its own
    traceback; what it returns is nobody's.

    A coroutine runs in an event loop of its own and is cancelled at the stage's end. A
    generator runs in the runner's thread; it may report, or yield as `Stage.run` does, and
    should yield at least every half second.

    In a run that is backed up and resumed the function begins again, unless it keeps in
    ``report.saved`` what it needs to go on, and looks there when it begins.

    Parameters
    ----------
    function
        A function, coroutine function or generator function of one argument.
    unit
        What one unit is called, in the singular.
    metrics
        Names of what the reports tell beside the cost; None for those of the first.
    name
        The stage's name; the function's by default.
    share
        The stage's part of the whole run's progress.
    needs, leaves
        Names of what the function takes from ``report.state`` and cannot work without, and
        of what it leaves there for later stages, as those of `Stage`: a pipeline in which
        something is missing is refused before it runs.

    Returns
    -------
    Stage
        The stage. It can still be called as the function that it is made of.

    Raises
    ------
    TypeError
        For what cannot be called with one argument.

    Examples
    --------
    >>> from schoolbell.runner import Pipeline
    >>> @as_stage(unit="guess")
    ... def guess(report):
    ...     for x in range(10):
    ...         report(total=10, cost=(x - 7) ** 2, solution=x)
    >>> run = Pipeline([guess]).fit(verbose=False)
    >>> run.solution, run.cost, run.history["done"][-1]
    (7, 0, 10)
    """
    if function is None:
        return partial(
            as_stage,
            unit=unit,
            metrics=metrics,
            name=name,
            share=share,
            needs=needs,
            leaves=leaves,
        )
    return FunctionStage(function, unit, metrics, name, share, needs, leaves)

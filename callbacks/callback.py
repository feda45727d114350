"""The base class of callbacks."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

from .control import Control
from .names import did_you_mean
from .parameters import parameter_names, public_parameters
from .vocabulary import CORE_COLUMNS, END_COLUMNS

Logs = dict[str, Any]


def metrics_of(params: Mapping[str, Any], stage: str | None, logs: Mapping[str, Any]) -> list[str]:
    """Return the names of a stage's metrics.

    Parameters
    ----------
    params
        As a callback knows them.
    stage
        The stage's name.
    logs
        Of one of its batches, or of its end: where the stage declares no
        metrics, those are its own.
    """
    declared = next((s["metrics"] for s in params.get("stages", ()) if s["name"] == stage), ())
    if declared is not None:
        return list(declared)
    return [name for name in logs if name not in (*CORE_COLUMNS, *END_COLUMNS, "batch")]


class Callback:
    """Watches a run: override the hooks that you need, the others cost nothing.

    A hook may read, write files, print, and steer the run through
    `self.pipeline`; it never computes the timetable. Every call of a hook gets
    a dict of its own run's making that no later call changes, so it may be
    kept. One callback can serve several fits, one after another; while one of
    them goes on, another is refused. It can be copied and pickled before,
    between and after them; the copy has what the callback has found out, knows
    no pipeline, and can watch a fit of its own.

    Attributes
    ----------
    pipeline
        The running pipeline: ``stop()``, ``skip_stage()``, ``pause()``,
        ``resume()``, ``progress`` (0 to 1, smooth), ``tracker``, and
        ``get_params()`` and ``set_params(ga__kempe=0.1)`` of the stages.
    params
        What is known before the run: ``pipeline`` (name), ``job_id``, ``seed``,
        ``time_limit``, ``workers``, ``parameters`` (of the stages, as
        ``{"ga__population": 8}``), ``callbacks`` (name and parameters of each,
        without secrets) and ``stages``, a list of one dict a stage:
        ``name``, ``label``, ``unit``, ``metrics`` (None where its first batch is
        to tell), ``start`` and ``end``, its place in the run's progress,
        and ``tunable``, the parameters that may change while it runs (None for
        all). In a run that goes on from a backup, ``resumed`` is true, and each
        stage has ``restored``: how it went (``done``, ``total``, ``seconds``,
        ``cost``, ``violations``, ``ended_by``) if it had ended before, else None.

    Notes
    -----
    The order of a run::

        on_pipeline_begin
            on_stage_begin                        for each stage
                on_batch_begin, on_batch_end      for each unit of work
                on_solution                       after a batch with a new best
            on_stage_end
        on_exception                              when something was raised
        on_pipeline_end                           always, however the run ends

    ``on_stage_end`` follows every ``on_stage_begin``, whether the stage
    finished, was skipped, stopped, out of time, needless since the best is
    proved to be optimal, or interrupted by a signal; only
    after an exception does ``on_exception`` take its place. A stage may end
    instead of beginning another unit: where its total was not known, the last
    ``on_batch_begin`` then has no ``on_batch_end``.
    """

    __module__ = "schoolbell.callbacks"

    #: What a copy or a pickle does not have, as it belongs to one run in one process: threads,
    #: locks, connections, open files. By name what makes it anew; None where nothing does.
    made_anew: ClassVar[Mapping[str, Callable[[], Any] | None]] = {}

    def __init__(self) -> None:
        self.pipeline: Control
        self.params: Mapping[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        anew = {"pipeline", "params", *_made_anew(type(self))}
        state = {name: value for name, value in vars(self).items() if name not in anew}
        # The values of parameters are the stages' and may be anything.
        params = public_parameters(self.params)
        if "parameters" in params:
            params["parameters"] = public_parameters(self.params["parameters"])
        return state | {"params": params}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        for name, make in _made_anew(type(self)).items():
            if make is not None:
                setattr(self, name, make())

    def set_pipeline(self, pipeline: Control) -> None:
        """Take the pipeline that is about to run; called before any hook."""
        self.pipeline = pipeline

    def get_params(self) -> dict[str, Any]:
        """Return the constructor's parameters with their present values."""
        return {name: getattr(self, name) for name in parameter_names(type(self))}

    def set_params(self, params: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        """Set parameters by name between two runs, as ``set_params(patience=3)``.

        The runner calls it with one mapping instead, before any hook: what is
        known of the run that is to begin, as in Keras.

        Raises
        ------
        ValueError
            For a name that the constructor does not have, or an impossible
            value; then nothing is set.
        """
        if params is not None:
            self.params = params
        if values:
            known = parameter_names(type(self))
            for name in values:
                if name not in known:
                    raise ValueError(
                        f"callback {type(self).__name__} has no parameter {name!r}; "
                        f"it has {', '.join(known) or 'none'}{did_you_mean(name, known)}"
                    )
            # Through the constructor, so that its checks hold for changed values too.
            fresh = vars(type(self)(**(self._given_params() | values)))
            run = ("params", "pipeline")
            vars(self).update({name: one for name, one in fresh.items() if name not in run})
        return self

    def _given_params(self) -> dict[str, Any]:
        """Return the parameters as they were given, where `get_params` hides a password."""
        return self.get_params()

    def check(self) -> None:
        """Find out before the run whether all is there that the callback will need.

        Called when `pipeline` and `params` are known, before any hook of any
        callback and before anything is shown or written: an error here ends `fit`
        before it has begun.
        """

    def state_dict(self) -> dict[str, Any]:
        """Return what the callback needs to decide alike in a run that is resumed.

        Numbers, strings, bytes, arrays and None by name, in lists, tuples, dicts
        and sets too; nothing for most callbacks. Anything else is left out of the
        backup and warned of once.
        """
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned, after ``on_pipeline_begin`` of a resumed run."""
        if state:
            raise ValueError(f"{type(self).__name__} keeps no state, got {sorted(state)}")

    def __repr__(self) -> str:
        try:
            known = public_parameters(self.get_params())
        except AttributeError:
            # It does not keep all its parameters.
            known = {}
        values = ", ".join(f"{name}={value!r}" for name, value in known.items())
        return f"{type(self).__name__}({values})"

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        """Called once, before the first stage.

        Parameters
        ----------
        logs
            ``progress``, ``elapsed``, ``cost`` and ``violations``.
        """

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        """Called before a stage does anything.

        Parameters
        ----------
        stage
            The stage's name.
        logs
            ``stage``, ``unit``, ``share`` (its part of the run's progress, 0 to 1,
            from ``progress`` on),
            ``budget`` (seconds it may take, None for no limit), ``progress``,
            ``elapsed``, ``cost`` and ``violations``.
        """

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Called when a stage is about to begin a unit of work.

        Parameters
        ----------
        batch
            Number of the unit, from 0 in its stage.
        logs
            ``stage``, ``unit``, ``done`` and ``total``.
        """

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Called after every finished unit of work.

        Parameters
        ----------
        batch
            Number of the unit, from 0 in its stage.
        logs
            ``stage``, ``unit``, ``done``, ``total`` (None if not known),
            ``progress`` (0 to 1, whole run), ``elapsed`` (seconds of the run,
            pauses not counted), ``cost`` and ``violations`` (of the best so
            far, None before the first), and each of the stage's metrics, as the
            stage reported it (None where this unit has none).
        """

    def on_solution(self, solution: Any, logs: Logs | None = None) -> None:
        """Called when there is a new best, after the ``on_batch_end`` of its unit.

        Parameters
        ----------
        solution
            The new best; of several within one unit, the last.
        logs
            As for `on_batch_end`, without the metrics, and ``batch``.
        """

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        """Called when a stage has ended and cleaned up.

        Parameters
        ----------
        stage
            The stage's name.
        logs
            As for `on_batch_end` after its last unit, with ``batches`` (how
            many there were), ``seconds`` (that the stage took), ``ended_by``:
            ``"finished"``; ``"time"``, its time was over; ``"optimal"``, the
            best is proved to be one that nothing can better; ``"skipped"`` by a
            callback or a command, alone; or, with the whole run, ``"stopped"``
            or ``"interrupted"`` by Ctrl-C or a signal; and ``stopped_by``: who skipped or
            stopped it, None otherwise.
        """

    def on_exception(self, exception: BaseException) -> None:
        """Called when a stage or a callback has raised; `on_pipeline_end` follows.

        Parameters
        ----------
        exception
            What the stage raised, or the `CallbackError` that names the callback.
        """

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        """Called last, however the run ends.

        Parameters
        ----------
        logs
            ``status`` (``"finished"``, ``"stopped"``, ``"interrupted"`` or
            ``"failed"``), ``stopped_by`` (who stopped it, or the signal that
            interrupted it: ``"SIGTERM"`` or ``"SIGHUP"``; otherwise None),
            ``stage`` (the last that began, or None), ``progress``, ``elapsed``,
            ``cost``, ``violations`` and ``error`` (the exception in one line, or
            None).
        """


def _made_anew(kind: type[Callback]) -> dict[str, Callable[[], Any] | None]:
    """Return what a class and those that it derives from make anew in a copy."""
    anew: dict[str, Callable[[], Any] | None] = {}
    for one in reversed(kind.__mro__):
        anew |= vars(one).get("made_anew", {})
    return anew


def nothing() -> None:
    """Return None: for `Callback.made_anew`, what an attribute is before a run."""

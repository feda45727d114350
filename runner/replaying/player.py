"""Fires the hooks of a recorded run."""

import os
import threading
from collections.abc import Mapping
from typing import Any

from ...callbacks import CallbackList, History, Logs
from ...callbacks.vocabulary import ENDS_OF_THE_RUN, INTERRUPTED
from ..engine.ending import end_logs, end_run, requested_stage_end
from ..engine.switchboard import Switchboard
from ..progress.progress_tracker import ProgressTracker
from ..results.run import Run
from ..results.stage_record import StageRecord
from .recording import PULSE, Moment, Recording

# What the end of a replay tells of itself, whatever was recorded.
_OF_THE_REPLAY = ("status", "stopped_by", "elapsed", "cost", "violations")


class Player:
    """Fires the hooks of a recorded run; what callbacks take for the pipeline.

    They may stop it, skip the rest of a stage, pause it and let it go on; the
    parameters of its stages cannot change any more.

    Parameters
    ----------
    recording
        The run.
    callbacks
        Who watches, the history among them.
    history
        The history of what is fired.
    speed
        How many recorded seconds pass in one; None for all at once.

    Attributes
    ----------
    run
        What is known of the run so far.
    """

    def __init__(
        self,
        recording: Recording,
        callbacks: CallbackList,
        history: History,
        speed: float | None,
    ) -> None:
        params = recording.params
        self._recording = recording
        self._callbacks = callbacks
        self._speed = speed
        self._board = Switchboard()
        self._wake = threading.Event()
        self._elapsed = 0.0
        self._skipped = False
        stages = params["stages"]
        self.tracker = ProgressTracker(
            # A stage that has added nothing has a share all the same.
            {one["name"]: max(one["end"] - one["start"], 1e-9) for one in stages},
            labels={one["name"]: one["label"] for one in stages},
            units={one["name"]: one["unit"] for one in stages},
            clock=lambda: self._elapsed,
        )
        seed = params["seed"] if isinstance(params["seed"], int) else 0
        self.run = Run(
            job_id=params["job_id"], seed=seed, history=history, state=None, goal=params["goal"]
        )

    @property
    def progress(self) -> float:
        """Smooth progress of the recorded run, 0 to 1."""
        return self.tracker.calculate_smooth_progress()

    def stop(self, by: str | None = None) -> None:
        """End the replay."""
        self._board.stop(by or self._callbacks.caller())
        self._wake.set()

    def skip_stage(self, by: str | None = None) -> None:
        """Pass over the rest of the present stage."""
        self._board.skip(by or self._callbacks.caller())
        self._wake.set()

    def pause(self) -> None:
        """Wait until `resume`."""
        self._board.pause()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._board.resume()

    def get_params(self) -> dict[str, Any]:
        """Return the parameters that the run's stages had, as far as they are known."""
        return dict(self._recording.params["parameters"])

    def set_params(self, **params: Any) -> None:
        """Refuse to change what is over.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(f"a recorded run has ended: {', '.join(params)} cannot change")

    def save(self, path: str | os.PathLike[str], pickle: bool = False) -> None:
        """Save nothing: there is no run to go on with."""

    def add_metrics(self, values: Mapping[str, Any]) -> None:
        """Do nothing: the logs are those that were recorded."""

    def restore(self, path: str | os.PathLike[str], pickle: bool = False) -> bool:
        """Tell that the replay begins at the beginning."""
        return False

    def play(self) -> Run:
        """Fire the hooks, from the first to the last.

        Raises
        ------
        CallbackError
            When a callback raised.
        """
        self._callbacks.set_pipeline(self)
        self._callbacks.set_params(self._recording.params)
        end: Logs = {}
        try:
            for moment in self._recording.moments():
                if moment.hook == "on_pipeline_end":
                    end = moment.logs
                elif self._is_due(moment):
                    self._wait(moment)
                    self._fire(moment)
        except KeyboardInterrupt:
            self._board.heeded = True
        except BaseException as error:
            self.run.exception = error
            self._callbacks.on_exception(error)
            raise
        finally:
            self._end(end)
        return self.run

    def _is_due(self, moment: Moment) -> bool:
        """Tell whether a hook is to be fired, or passed over by request."""
        if moment.hook == "on_stage_begin":
            self._board.begin_stage()
        if moment.hook == "on_stage_end":
            return self.tracker.stage == moment.subject
        return not self._board.ending

    def _wait(self, moment: Moment) -> None:
        """Wait until a hook's recorded time has come, and while the replay is paused."""
        elapsed = moment.logs.get("elapsed", self._elapsed)
        while self._speed is not None and elapsed > self._elapsed and not self._board.ending:
            # In small steps: the progress displays read the clock.
            step = min(elapsed - self._elapsed, 0.1 * self._speed)
            self._wake.wait(step / self._speed)
            self._elapsed += step
        self._elapsed = max(self._elapsed, elapsed)
        self._board.wait_while_paused()

    def _fire(self, moment: Moment) -> None:
        hook, subject, logs = moment
        self._follow(moment)
        if hook == PULSE:
            return
        call = getattr(self._callbacks, hook)
        if hook == "on_pipeline_begin":
            call(logs)
        else:
            call(subject, logs)

    def _follow(self, moment: Moment) -> None:
        """Keep the tracker and the run where the recording is."""
        hook, subject, logs = moment
        if "cost" in logs:
            self.tracker.best = (logs["cost"], logs.get("violations"))
        if hook == "on_stage_begin":
            start, share = logs.get("progress"), logs.get("share")
            bounds = None if start is None or share is None else (start, min(1.0, start + share))
            self.tracker.begin_stage(subject, bounds=bounds)
        elif hook == PULSE:
            self.tracker.note_pulse(logs["part"], logs["message"])
        elif hook == "on_batch_end":
            self.tracker.update_work_progress(logs["done"], logs["total"])
        elif hook == "on_stage_end":
            self.tracker.end_stage(goes_on=logs["ended_by"] not in ENDS_OF_THE_RUN)
            self.run.stages.append(self._record(logs))

    def _record(self, logs: Logs) -> StageRecord:
        recorded = logs["ended_by"], logs.get("stopped_by")
        ended_by, stopped_by = requested_stage_end(self._board) or recorded
        return StageRecord(
            name=logs["stage"],
            unit=logs.get("unit", "batch"),
            done=logs.get("done", 0),
            total=logs.get("total"),
            seconds=logs["seconds"],
            cost=logs["cost"],
            violations=logs["violations"],
            ended_by=ended_by,
            stopped_by=stopped_by,
        )

    def _end(self, logs: Logs) -> None:
        """Tell the callbacks that it is over, as the run itself ended or as the replay did."""
        recorded = logs.get("status", INTERRUPTED), logs.get("stopped_by")
        end_run(self.run, self._board, self.tracker, self._elapsed, recorded)
        end = end_logs(self.run, self.tracker, self.tracker.stage)
        # Where the recorded run stood, unless the replay ended otherwise.
        told = {name: value for name, value in logs.items() if name not in _OF_THE_REPLAY}
        self._callbacks.on_pipeline_end(end | told)

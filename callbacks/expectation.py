"""What a callback waits for, and says when it has waited in vain."""

from collections.abc import Collection, Mapping
from typing import Any

from .callback import Logs, metrics_of
from .monitor import NUMBERS, number_of
from .names import did_you_mean
from .safe_warning import warn_safely


class Expectation:
    """A value of the logs that a callback watches, and whether it comes.

    Where it does not, one warning is given: at the end of a stage that was to
    have it, since it declares the metric or was named to be watched, otherwise
    at the end of the last stage that might have had it.

    Parameters
    ----------
    owner
        The callback's name.
    monitor
        The value's name in the logs.
    params
        What a callback knows of the run.
    watched
        The stages that are watched.
    named
        Those of them that the user has named.

    Attributes
    ----------
    came
        Whether it has come in the present stage: to be set when it does.
    """

    def __init__(
        self,
        owner: str,
        monitor: str,
        params: Mapping[str, Any],
        watched: Collection[str],
        named: Collection[str] | None,
    ) -> None:
        stages = [one for one in params.get("stages", ()) if one["name"] in watched]
        self.came = False
        self._owner = owner
        self._monitor = monitor
        self._params = params
        self._promised = {one["name"] for one in stages if monitor in (one["metrics"] or ())}
        self._promised.update(named or ())
        self._last = stages[-1]["name"] if stages else None
        self._ever = self._warned = False

    def begin_stage(self) -> None:
        """Wait anew."""
        self.came = False

    def end_stage(self, stage: str, logs: Logs) -> None:
        """Warn if it should have come by now; `logs` are those of ``on_stage_end``."""
        came = self.came or number_of(logs.get(self._monitor)) is not None
        self._ever = self._ever or came
        missing = not came if stage in self._promised else stage == self._last and not self._ever
        if not missing or self._warned or not logs.get("batches"):
            return
        self._warned = True
        known = [*NUMBERS, *metrics_of(self._params, stage, logs)]
        known = [name for name in dict.fromkeys(known) if name != self._monitor]
        warn_safely(
            f"{self._owner} watched {self._monitor!r} in vain: stage {stage!r} never had a number "
            f"of that name; it reports {', '.join(known)}{did_you_mean(self._monitor, known)}",
            stacklevel=3,
        )

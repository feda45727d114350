"""Measures what a run takes of the machine."""

import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar, Self

from ..argument_error import ArgumentError, check_number
from ..background.needing import needing
from ..background.ticker import Ticker
from ..callback import Callback, Logs, nothing

_METRICS = ("system_cpu", "system_memory", "system_load", "system_free")
_MEGABYTE = 1e6


class SystemMonitor(Callback):
    """Adds what a run takes of the machine to the logs, as metrics of every stage.

    ================= =====================================================
    metric            is
    ================= =====================================================
    ``system_cpu``    percent of one processor that the run's processes use
    ``system_memory`` megabytes that they hold
    ``system_load``   percent of all processors in use, by anyone
    ``system_free``   megabytes that are to be had still
    ================= =====================================================

    They are measured by a thread of its own every `interval` seconds, so that a
    batch costs no more than it takes to add four numbers. The run's history and
    all callbacks find them, whatever their order.

    Parameters
    ----------
    interval
        Seconds between two measurements.

    Raises
    ------
    ImportError
        Where psutil is not installed.
    ArgumentError
        For an impossible interval; before a run, where a stage has a metric of one of
        the names.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_ticker": nothing, "_processes": dict}

    def __init__(self, interval: float = 1.0) -> None:
        super().__init__()
        with needing("SystemMonitor", "system"):
            import psutil  # noqa: F401
        check_number("interval", interval, 0.05, "0.05 seconds or more")
        self.interval = interval
        self._processes: dict[int, Any] = {}
        self._ticker: Ticker | None = None

    def set_params(self, params: Mapping[str, Any] | None = None, /, **values: Any) -> Self:
        super().set_params(params, **values)
        about = params or {}
        # In a recorded run that is replayed they are what was recorded.
        for stage in () if about.get("replayed") else about.get("stages", ()):
            # All callbacks hold these, so loggers have columns for what comes. A stage that
            # declares no metrics has those of its logs, these among them.
            if stage["metrics"] is not None:
                taken = sorted(set(_METRICS).intersection(stage["metrics"]))
                if taken:
                    raise ArgumentError(
                        f"stage {stage['name']!r} has a metric {taken[0]!r}, which is what "
                        "SystemMonitor calls one of its own"
                    )
                stage["metrics"] = (*stage["metrics"], *_METRICS)
        return self

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end()
        self._processes = {}
        if self.params.get("replayed"):
            return
        self._measure()
        self._ticker = Ticker(self._measure, self.interval, "measuring the machine")
        self._ticker.start()

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._end()

    def _end(self) -> None:
        ticker, self._ticker = self._ticker, None
        if ticker is not None:
            ticker.stop()

    def _measure(self) -> None:
        import psutil

        cpu = memory = 0.0
        own = self._processes.setdefault(os.getpid(), psutil.Process())
        children = {}
        with suppress(psutil.Error, OSError):
            children = {one.pid: one for one in own.children(recursive=True)}
        # The same objects each time: they tell the share since they were asked last.
        self._processes = {own.pid: own} | {
            pid: self._processes.get(pid, one) for pid, one in children.items()
        }
        for process in self._processes.values():
            # One may have ended meanwhile.
            with suppress(psutil.Error, OSError):
                cpu += process.cpu_percent()
                memory += process.memory_info().rss
        measured = {
            "system_cpu": cpu,
            "system_memory": memory / _MEGABYTE,
            "system_load": psutil.cpu_percent(),
            "system_free": psutil.virtual_memory().available / _MEGABYTE,
        }
        self.pipeline.add_metrics(measured)

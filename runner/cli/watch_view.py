"""What ``schoolbell watch`` shows of a run that goes on elsewhere."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from ...callbacks import Display, Snapshot
from ...callbacks.progress.progbar_logger import begin_display
from ...callbacks.progress.terminal import release
from ..watching.watched_snapshot import WatchedSnapshot


class WatchView:
    """Shows on a display what a watcher learns, also of stages that ended before it came.

    Attributes
    ----------
    hint
        Which keys there are, told below while the run goes on.
    """

    def __init__(self) -> None:
        self.hint = ""
        self._display: Display | None = None
        self._begun: set[str] = set()
        self._ended: set[str] = set()
        self._newest: WatchedSnapshot | None = None
        self._closed = False

    def show(self, snapshot: WatchedSnapshot) -> None:
        display = self._display
        if display is None:
            title = snapshot.pipeline or snapshot.job_id
            display = begin_display("auto", sys.stderr, title, snapshot.stages, hint=self.hint)
            self._display = display
        self._newest = snapshot
        for stage in _ended_stages(snapshot):
            if stage["name"] not in self._ended:
                self._begin(stage["name"])
                self._ended.add(stage["name"])
                seconds = stage.get("seconds") or 0.0
                by = stage.get("stopped_by")
                display.end_stage(_at_end(snapshot, stage), seconds, stage["ended_by"], by)
        if snapshot.stage is not None and snapshot.stage not in self._ended:
            self._begin(snapshot.stage)
        display.update(snapshot)
        if snapshot.outcome:
            self.close()

    def tell(self, text: str) -> None:
        """Tell what has become of a key that was pressed, below the keys that there are."""
        if self._display is not None and self._newest is not None and not self._closed:
            self._display.hint = f"{text} ({self.hint})"
            self._display.update(self._newest)

    def close(self) -> None:
        if self._display is not None and self._newest is not None and not self._closed:
            self._closed = True
            self._display.end(self._newest, self._newest.outcome or "watched no longer")
            release(self._display)

    def _begin(self, stage: str) -> None:
        if stage not in self._begun and self._display is not None:
            self._begun.add(stage)
            self._display.begin_stage(stage)


def _ended_stages(snapshot: WatchedSnapshot) -> Iterator[Mapping[str, Any]]:
    """Yield the stages that had ended at a snapshot, which may be an old one."""
    for stage in snapshot.stages:
        present = stage["name"] == snapshot.stage
        if present and snapshot.event not in ("stage_end", "pipeline_end") and not snapshot.outcome:
            return
        if stage.get("ended_by"):
            yield stage
        if present:
            return


def _at_end(snapshot: WatchedSnapshot, stage: Mapping[str, Any]) -> Snapshot:
    """Return a snapshot of a stage's end, made of what is known of it."""
    values = {one.name: getattr(snapshot, one.name) for one in fields(Snapshot)}
    done, total = stage.get("done") or 0, stage.get("total")
    text = f"{done}" if total is None else f"{done}/{total}"
    values |= {
        "stage": stage["name"],
        "unit": stage.get("unit"),
        "done": done,
        "total": total,
        "message": f"{stage.get('label')}: {text}",
        "stage_progress": done / total if total else 1.0,
        "progress": min(snapshot.progress, stage.get("end") or 1.0),
        "cost": stage.get("cost"),
        "violations": stage.get("violations"),
    }
    return Snapshot(**values)

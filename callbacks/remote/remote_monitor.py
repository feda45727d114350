"""Posts where a run stands to a web server."""

import atexit
from collections.abc import Mapping
from typing import Any, ClassVar

from ..argument_error import ArgumentError, check_number
from ..callback import Callback, Logs, nothing
from ..parameters import HIDDEN, without_secrets
from ..safe_warning import warn_safely
from .http_target import HTTPTarget
from .remote_feed import RemoteFeed


class RemoteMonitor(Callback):
    """Posts a run to a web server: a snapshot every `interval` seconds, and each stage change.

    What it posts is the JSON that `RedisLogger` keeps: ``job_id``, ``event``
    (``"snapshot"``, ``"pipeline_begin"``, ``"stage_begin"``, ``"stage_end"`` or
    ``"pipeline_end"``), ``seq`` (a number that grows, also where a run goes on
    from a backup, then with a leap over what may have been posted since), ``started_at``,
    ``updated_at``, ``batch``, all of a `Snapshot`, and ``logs``, the newest
    batch's or the stage change's own.

    A thread of its own posts, so the run never waits for the server. When that
    is away or answers with an error, one warning is given, stage changes are
    kept, up to 1,000 of them, and posted when it returns, with where the run
    stands then. No user, password or header is ever printed.

    Parameters
    ----------
    root
        The server's URL; user and password in it are sent as a header.
    path
        Where to post, below `root`.
    field
        The form's field that holds the JSON; not used with `send_as_json`.
    headers
        More headers.
    send_as_json
        Post the JSON itself, as ``application/json``, and not in a form.
    interval
        Seconds between two snapshots.

    Raises
    ------
    ValueError
        For what is no URL of a web server, headers that HTTP cannot send, and
        an interval that is not positive.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_feed": nothing}

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
        interval: float = 0.5,
    ) -> None:
        super().__init__()
        for name, text in (("root", root), ("path", path), ("field", field)):
            if not isinstance(text, str):
                raise ArgumentError.of(name, "a text", text)
        if headers is not None and not isinstance(headers, Mapping):
            raise ArgumentError.of("headers", "a dict of texts or None", type(headers))
        check_number("interval", interval, 0, "a positive number of seconds")
        if not 0 < interval < float("inf"):
            raise ArgumentError.of("interval", "a positive number of seconds", interval)
        self._given = {"root": root, "path": path, "headers": headers}
        self._target = HTTPTarget(root + path, None if send_as_json else field, headers)
        self.root = self._target.name
        self.path = without_secrets(path)
        self.field = field
        self.headers = None if headers is None else dict.fromkeys(headers, HIDDEN)
        self.send_as_json = send_as_json
        self.interval = interval
        self._feed: RemoteFeed | None = None

    def _given_params(self) -> dict[str, Any]:
        return super()._given_params() | self._given

    def state_dict(self) -> dict[str, Any]:
        return {} if self._feed is None else self._feed.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self._feed is not None:
            self._feed.load_state_dict(state)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._end({})
        job_id = self.params.get("job_id") or "run"
        self._feed = RemoteFeed(self._target, job_id, self.pipeline, self.interval)
        self._feed.open(logs or {}, resumed=bool(self.params.get("resumed")))
        # A process that ends in a hurry still says so.
        atexit.register(self._abandon)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave("stage_begin", logs or {})

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave_batch(batch, logs or {})

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave("stage_end", logs or {})

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._end(logs or {})

    def _end(self, logs: Logs) -> None:
        feed, self._feed = self._feed, None
        if feed is None:
            return
        if not feed.close(logs):
            message = f"{self.root} does not know yet how the run ended"
            warn_safely(message, stacklevel=2)
        atexit.unregister(self._abandon)

    def _abandon(self) -> None:
        """Take leave of a run that never came to its end."""
        self._end({})

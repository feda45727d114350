"""Posts where a run stands to a web server."""

from collections.abc import Mapping
from typing import Any

from ..argument_error import ArgumentError, check_number
from ..callback import Logs
from ..parameters import HIDDEN, without_secrets
from .feed_logger import FeedLogger
from .http_target import HTTPTarget
from .remote_feed import RemoteFeed


class RemoteMonitor(FeedLogger):
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

    def _given_params(self) -> dict[str, Any]:
        return super()._given_params() | self._given

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._abandon()
        job_id = self.params.get("job_id") or "run"
        feed = RemoteFeed(self._target, job_id, self.pipeline, self.interval)
        feed.open(logs or {}, resumed=bool(self.params.get("resumed")))
        self._open(feed)

    def _target_name(self) -> str:
        return self.root

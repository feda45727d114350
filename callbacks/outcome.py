"""How a run ended, in words."""

from collections.abc import Mapping
from typing import Any


def outcome_words(logs: Mapping[str, Any]) -> str:
    """Return the status of a run that is over, with its reason and what is left to wish.

    Parameters
    ----------
    logs
        ``status``, ``stopped_by``, ``error`` and ``violations``, as for
        `Callback.on_pipeline_end`.

    Returns
    -------
    str
        ``"finished"``, ``"finished with 3 violations left"``,
        ``"stopped: command, with 3 violations left"``, ``"failed: …"``.
    """
    status = logs.get("status") or "finished"
    reason = logs.get("stopped_by") or logs.get("error")
    words = f"{status}: {reason}" if reason else status
    violations = logs.get("violations")
    if status == "failed" or not violations:
        return words
    left = f"with {violations:,} violation{'' if violations == 1 else 's'} left"
    return f"{words}, {left}" if reason else f"{words} {left}"

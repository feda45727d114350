"""The error of a service that does not do what it is asked."""

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """A service does not do what it is asked, or cannot be reached; its words say why.

    Attributes
    ----------
    status
        The HTTP status; None where there was no answer.
    problem
        What the service says, with ``line``, ``found`` and ``expected`` where a file is wrong.
    """

    __module__ = "schoolbell.runner.service"

    def __init__(
        self, message: str, status: int | None = None, problem: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.problem = dict(problem or {})

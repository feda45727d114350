"""A service: start jobs, watch them, steer them and fetch them, from a browser or a program."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client.client import Client
    from .client.service_error import ServiceError
    from .settings import Settings
    from .web.app import create_app

__all__ = ["Client", "ServiceError", "Settings", "create_app"]

# Only what is asked for is imported: a client needs no web framework, a server no client.
_MODULES = {
    "Client": "client.client",
    "ServiceError": "client.service_error",
    "Settings": "settings",
    "create_app": "web.app",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

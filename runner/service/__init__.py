"""A service: start jobs, watch them, steer them and fetch them, from a browser or a program."""

from typing import TYPE_CHECKING

from ...stages.lazy import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _MODULES)

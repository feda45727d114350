"""The parameters of the stages, as ``schoolbell fit --set`` takes them."""

import inspect
from collections.abc import Iterable

from ...stages import Stage
from ..config.run_config import settings


def parameter_list(stages: Iterable[Stage]) -> str:
    """List each parameter with its value, and what it is for in a line.

    Returns
    -------
    str
        Lines such as ``ga.population=8  individuals that live at a time``.
    """
    rows = [
        (f"{stage.name}.{name}={value}", _meaning(type(stage), name))
        for stage in stages
        for name, value in settings(stage).items()
    ]
    width = max(len(setting) for setting, _ in rows) + 2
    return "\n".join(f"{setting:<{width}}{meaning}".rstrip() for setting, meaning in rows)


def _meaning(stage: type[Stage], parameter: str) -> str:
    """Return what a docstring in NumPy's style says of a parameter, the first sentence of it."""
    lines = iter((inspect.getdoc(stage) or "").splitlines())
    for line in lines:
        if not line.startswith(" ") and parameter in line.split(":")[0].split(", "):
            words = []
            for told in lines:
                if not told.startswith(" "):
                    break
                words.append(told.strip())
            text = " ".join(words).replace("``", "")
            return text.partition(". ")[0].partition("; ")[0].rstrip(".")
    return ""

"""A picture of a solution that can draw itself."""

import io
from typing import Any

_INCHES = (11.0, 7.0)


def solution_picture(solution: Any) -> tuple[int, int, bytes] | None:
    """Draw a solution that has a method ``plot(ax=...)``; None for another one.

    Returns
    -------
    tuple or None
        Width and height in pixels, and the PNG.
    """
    plot = getattr(solution, "plot", None)
    if plot is None:
        return None
    figure = _new_figure()
    plot(ax=figure.axes[0])
    width, height = (round(inches * figure.dpi) for inches in _INCHES)
    return width, height, _save(figure)


def prepare_to_draw() -> None:
    """Import what draws, which takes a while the first time."""
    _save(_new_figure())


def _new_figure() -> Any:
    """Return a figure with one pair of axes."""
    from matplotlib.figure import Figure  # pyright: ignore[reportMissingImports] - optional

    # Not by pyplot, which belongs to the main thread.
    figure = Figure(figsize=_INCHES)
    figure.subplots()
    return figure


def _save(figure: Any) -> bytes:
    """Return a figure as PNG."""
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()

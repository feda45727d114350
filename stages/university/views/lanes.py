"""Side by side what meets in time."""

from collections.abc import Sequence


def lanes(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return for each span of time its lane, and the number of lanes that it shares the width with.

    Parameters
    ----------
    spans
        Start and end of each, ascending by start.
    """
    found: list[tuple[int, int]] = []
    ends: list[int] = []
    first = 0
    taken: list[int] = []

    def close() -> None:
        found.extend((lane, len(ends)) for lane in taken)

    for at, (start, end) in enumerate(spans):
        if at > first and start >= max(ends):
            close()
            ends, taken, first = [], [], at
        free = next((lane for lane, until in enumerate(ends) if until <= start), len(ends))
        if free == len(ends):
            ends.append(end)
        else:
            ends[free] = end
        taken.append(free)
    close()
    return found

"""Weeks in words."""

from ..cost.words import week_names

DASH = "\N{EN DASH}"
"""Between the first and the last of something."""


def week_words(weeks: str) -> str:
    """Return in which weeks something is: ``"odd weeks"``, ``"week 3"``.

    Runs of weeks are drawn together, as from the first to the last.

    Parameters
    ----------
    weeks
        A text with a 1 for each of the weeks.
    """
    found = [week + 1 for week, bit in enumerate(weeks) if bit == "1"]
    if len(found) == 1:
        return f"week {found[0]}"
    first, last = (found[0], found[-1]) if found else (0, 0)
    if len(found) > 2 and found == list(range(first, last + 1, 2)):
        parity = "odd" if first % 2 else "even"
        whole = first <= 2 and last + 2 > len(weeks)
        return f"{parity} weeks" if whole else f"{parity} weeks {first}{DASH}{last}"
    return f"weeks {week_names(weeks).replace('-', DASH)}" if found else "no weeks"

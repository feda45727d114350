"""Numbers, durations and texts for people."""


def format_number(value: float | None) -> str:
    """Return a number for people: no needless decimals, a dash for None."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def format_seconds(seconds: float | None) -> str:
    """Return a duration for people: ``0.31 s``, ``12.5 s``, ``3:05``, ``2:00:01``."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def format_percent(part: float, digits: int = 1) -> str:
    """Return a part of 1 as per cent, rounded down: 100 % is for what has ended."""
    scale = 10**digits
    # What is short of a step by a rounding error alone has reached it.
    steps = int(part * 100 * scale + 1e-6)
    if part < 1.0:
        steps = min(steps, 100 * scale - 1)
    return f"{steps / scale:.{digits}f} %"


def printable(text: str) -> str:
    """Return a text without what would steer the terminal that shows it."""
    return "".join(one if one.isprintable() else " " for one in text)

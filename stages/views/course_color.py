"""What tells courses apart in pictures."""

import colorsys

# Degrees between the hues of two courses: no two of the first ones look alike.
_GOLDEN_ANGLE = 137.508
_SATURATION, _VALUE = 0.36, 0.95


def course_color(position: int) -> str:
    """Return a light color for a course by its position in the instance: ``"#f29b9b"``."""
    hue = position * _GOLDEN_ANGLE / 360 % 1
    parts = colorsys.hsv_to_rgb(hue, _SATURATION, _VALUE)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)

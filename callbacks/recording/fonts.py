"""Fonts for pictures whose names are in any script.

Callbacks and timetables each have this module, since neither imports the other.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Has a sign for everything, and the sign says that a font is missing.
_LAST_RESORT = "Last Resort"
# What is drawn for a character that no font has; the font that comes with matplotlib has it.
_BOX = "\u25a1"


def use_fonts_that_have_all(axes: Axes) -> None:
    """Let the texts of a picture fall back to fonts that have their characters.

    Where none of this machine's fonts has one, a box is drawn in its place, and
    one warning in all says so. The packages that draw do not import each other, so each has
    this module.
    """
    from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
    from matplotlib.text import Text

    def drawable(path: str) -> set[str]:
        return set(map(chr, get_font(path).get_charmap()))

    texts = [text for text in axes.findobj(Text) if isinstance(text, Text) and text.get_text()]
    missing = set("".join(text.get_text() for text in texts)) - {"\n"}
    missing -= drawable(findfont(FontProperties()))
    families: list[str] = []
    # Upright sans serif faces first, as the rest of the picture.
    entries = sorted(
        fontManager.ttflist,
        key=lambda one: ("sans" not in one.name.lower(), one.style != "normal", one.weight != 400),
    )
    for entry in entries if missing else ():
        if entry.name.startswith(_LAST_RESORT) or entry.name in families:
            continue
        if found := missing & drawable(entry.fname):
            families.append(entry.name)
            missing -= found
        if not missing:
            break
    for text in texts:
        if families:
            text.set_fontfamily([*FontProperties().get_family(), *families])
    if missing:
        boxes = str.maketrans(dict.fromkeys(missing, _BOX))
        for axis in (axes.xaxis, axes.yaxis):
            # By the axis, which writes its labels anew whenever the picture is drawn.
            labels = [label.get_text() for label in axis.get_ticklabels()]
            if missing.intersection("".join(labels)):
                axis.set_ticklabels([one.translate(boxes) for one in labels], parse_math=False)
        for text in texts:
            text.set_text(text.get_text().translate(boxes))
        some = "".join(sorted(missing)[:10])
        warnings.warn(
            f"no font of this machine has {some!r}: boxes are drawn instead; install one that "
            "has, such as Noto Sans CJK for Chinese, Japanese and Korean",
            UserWarning,
            stacklevel=3,
        )

"""How Sphinx builds the site: ``python -m sphinx -W --keep-going -n docs build/docs``."""

import shutil
import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "_ext"))

# The notebooks stand beside the site and are shown with the outputs they were committed with.
shutil.copytree(HERE.parent / "notebooks", HERE / "guides" / "notebooks", dirs_exist_ok=True)

project = "schoolbell"
author = "The schoolbell developers"
project_copyright = author
release = version = version_of("schoolbell")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "commands",
    "error_tree",
]
templates_path = ["_templates"]
html_theme = "furo"
html_title = f"schoolbell {release}"
html_show_copyright = False
html_show_sphinx = False

nb_execution_mode = "off"
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# What a package's door gives is documented, under the door's name.
autosummary_ignore_module_all = False
autosummary_imported_members = True
autodoc_member_order = "bysource"
# A hook that a callback overrides is told of in the base class, once.
autodoc_inherit_docstrings = False
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_validation_checks = {"GL08", "PR02", "PR03", "PR10", "SS01", "SS02"}

# In docstrings `Pipeline` is a link where there is such a thing, and else a name.
default_role = "autolink"
nitpick_ignore_regex = [
    # Signatures show types of the rooms behind a package's door, which nobody imports.
    (
        r"py:(class|obj)",
        r"schoolbell\.\w+\.(?!(timetable|university|problem|service)\.[A-Z]\w*$)[a-z_]\w*\..*",
    ),
    # Other packages have sites of their own, and the build asks nothing of the network.
    (r"py:.*", r"(?!schoolbell\b).*"),
]

"""What README.md and the pages in docs/ say; their Python examples run by themselves."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
GENERATED = {ROOT / "docs" / "reference" / "generated", ROOT / "docs" / "guides" / "notebooks"}
PAGES = [README, *sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES = [page for page in dict.fromkeys(PAGES) if not GENERATED & set(page.parents)]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
FENCE = re.compile(
    r"^(?P<fence>```+|:::+)(?P<language>\S*)[^\n]*\n(?P<body>.*?)^(?P=fence)$", re.M | re.S
)


def blocks(*languages):
    """The blocks of these languages on all pages, with the page of each."""
    return [
        (page, found["body"])
        for page, text in TEXTS.items()
        for found in re.finditer(FENCE, text)
        if found["language"] in languages
    ]


def test_the_readme_is_read_in_two_minutes():
    assert len(TEXTS[README].splitlines()) <= 200


def test_no_python_example_is_passed_over():
    assert len(blocks("python")) >= 10
    assert not blocks("py", "python3", "pycon", "{code-block}", "{code}")
    assert not [page for page, text in TEXTS.items() if re.search(r"^(%|<!--+) *skip:", text, re.M)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_the_project_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)\)?", re.sub(FENCE, "", TEXTS[page]))
    # The site's build copies the notebooks to the guides.
    places = {
        target: ROOT if target.startswith("notebooks/") else page.parent for target in targets
    }
    assert not [target for target, place in places.items() if not (place / target).exists()]


def test_every_shell_command_is_one_that_the_program_knows():
    program = Path(sys.executable).with_name("schoolbell")
    shell = "".join(body for _, body in blocks("sh"))
    commands = set(re.findall(r"^schoolbell ([\w-]+) ", shell, re.MULTILINE))
    done = subprocess.run([program, "--help"], capture_output=True, check=True, text=True)
    known = set(re.findall(r"^    ([a-z-]+)\b", done.stdout, re.MULTILINE))
    assert {"fit", "validate"} <= commands <= known


def test_every_benchmark_has_its_command_on_a_page_of_measured_figures():
    shared = {"measuring", "watching", "refresh_tables"}
    scripts = {path.stem for path in ROOT.joinpath("benchmarks").glob("*.py")} - shared
    measured = [body for page, body in blocks("sh") if page.parent.name == "measured"]
    named = set(re.findall(r"benchmarks/(\w+)\.py\b", "".join(measured)))
    assert named == scripts


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/measured/*.md")), ids=lambda page: page.stem
)
def test_figures_say_when_they_were_taken(page):
    text = TEXTS[page]
    if re.search(r"^\|", text, re.MULTILINE):
        assert re.search(r"\bTaken on \d{4}-\d\d-\d\d\b[^\n]*\bcores\b", text)


def test_the_fields_of_redis_and_the_columns_of_the_log_are_told():
    from dataclasses import fields

    from schoolbell.callbacks import Snapshot
    from schoolbell.callbacks.recording.csv_rows import COLUMNS

    reference = ROOT / "docs" / "reference"
    redis, files = TEXTS[reference / "redis.md"], TEXTS[reference / "files.md"]
    assert not [one.name for one in fields(Snapshot) if f"`{one.name}`" not in redis]
    assert ", ".join(f"`{name}`" for name in COLUMNS[:-1]) in " ".join(files.split())


def test_every_callback_is_in_the_tables():
    import schoolbell.callbacks as callbacks

    known = [getattr(callbacks, name) for name in callbacks.__all__]
    ready = [
        one.__name__
        for one in known
        if isinstance(one, type) and issubclass(one, callbacks.Callback)
    ]
    pages = (README, ROOT / "docs" / "guides" / "callbacks.md")
    passed = {"Callback", "CallbackList"}
    for page in pages:
        assert not [n for n in ready if n not in passed and f"| `{n}(" not in TEXTS[page]]

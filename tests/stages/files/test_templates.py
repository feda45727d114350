"""HTML from templates: whatever a value holds, it stays a text."""

import json
import subprocess
import sys

import pytest
from schoolbell.stages.files.templates import render

NASTY = "</script><b>\"x\" & 'y'</b>{{ title }}"


@pytest.fixture
def template(tmp_path):
    def write(text):
        path = tmp_path / "page.html"
        path.write_text(text)
        return path

    return write


def test_a_value_is_escaped_in_texts_and_attributes(template):
    page = render(template('<p title="{{ text }}">{{ text }}</p>'), text=NASTY)
    assert page.count("<") == 2
    assert page.count('"') == 2


def test_data_in_a_script_can_neither_end_it_nor_change(template):
    page = render(template("<script>{{ data | tojson }}</script>"), data={"b": NASTY, "a": 1})
    held = page.removeprefix("<script>").removesuffix("</script>")
    assert "<" not in held
    assert json.loads(held) == {"b": NASTY, "a": 1}


def test_a_name_without_a_value_is_an_error(template):
    from jinja2 import UndefinedError

    with pytest.raises(UndefinedError, match="'missing' is undefined"):
        render(template("{{ missing }}"))


def test_what_draws_is_loaded_when_something_is_drawn():
    script = (
        "import sys, schoolbell.stages.timetable, schoolbell.runner.results.run_html;"
        "print('jinja2' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.stdout == "False\n"

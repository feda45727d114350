"""Tables of the pages, taken anew."""

import importlib.util
import re
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "refresh_tables.py"
spec = importlib.util.spec_from_file_location("refresh_tables", PATH)
refresh_tables = importlib.util.module_from_spec(spec)
spec.loader.exec_module(refresh_tables)

PAGE = """Words.

```sh
python benchmarks/quality.py --time 3 a b
```

| a | b |
| --- | --- |
| 1 | 2 |

```sh
python benchmarks/other.py
```

| c |
| --- |
| 1 |
"""


def test_a_command_gets_its_own_table_and_the_rest_stays():
    found = refresh_tables.commands(PAGE, "quality")
    assert found == ["python benchmarks/quality.py --time 3 a b\n"]
    new = "| a | b | c |\n| --- | --- | --- |\n| 3 | 4 | 5 |\n| 6 | 7 | 8 |\n"
    text = refresh_tables.refreshed(PAGE, found, lambda _: f"{new}\nSum 9.\n")
    assert text == PAGE.replace("| a | b |\n| --- | --- |\n| 1 | 2 |\n", new)


def test_a_run_without_a_table_is_an_error():
    with pytest.raises(ValueError, match="no table"):
        refresh_tables.refreshed(PAGE, refresh_tables.commands(PAGE, "other"), lambda _: "oh")


def test_a_command_without_a_table_of_its_own_is_left_alone():
    text = "```sh\npython benchmarks/quality.py\n```\n\nWords.\n\n" + PAGE
    assert len(refresh_tables.commands(text, "quality")) == 1


@pytest.mark.parametrize("benchmark", ["quality", "ablation", "scaling", "overhead"])
def test_the_tables_of_the_site_can_be_taken_anew(benchmark):
    page = PATH.parents[1] / "docs" / "measured" / f"{benchmark}.md"
    text = page.read_text(encoding="utf-8")
    found = refresh_tables.commands(text, benchmark)
    assert found
    fresh = refresh_tables.refreshed(text, found, lambda command: f"| {found.index(command)} |\n")
    assert re.findall(r"^```\n\n\| (\d+) \|\n", fresh, re.MULTILINE) == [
        str(i) for i in range(len(found))
    ]


def test_a_table_is_put_on_the_page_that_has_its_command(tmp_path, monkeypatch):
    names = "first.md", "second.md"
    for name, text in zip(names, ("# Nothing\n", PAGE), strict=True):
        tmp_path.joinpath(name).write_text(text, encoding="utf-8")
    output = tmp_path / "output"
    output.write_text("| c |\n| --- |\n| 7 |\n", encoding="utf-8")
    options = ["other", "--from", str(output), "--pages", str(tmp_path)]
    monkeypatch.setattr("sys.argv", ["refresh_tables.py", *options])
    refresh_tables.main()
    first, second = (tmp_path.joinpath(name).read_text(encoding="utf-8") for name in names)
    assert first == "# Nothing\n"
    assert second == PAGE.replace("| 1 |\n", "| 7 |\n") != PAGE

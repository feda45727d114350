"""Tables of the README, taken anew."""

import importlib.util
import re
from pathlib import Path

import pytest

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "refresh_readme.py"
spec = importlib.util.spec_from_file_location("refresh_readme", PATH)
refresh_readme = importlib.util.module_from_spec(spec)
spec.loader.exec_module(refresh_readme)

README = """Words.

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
    found = refresh_readme.commands(README, "quality")
    assert found == ["python benchmarks/quality.py --time 3 a b\n"]
    new = "| a | b | c |\n| --- | --- | --- |\n| 3 | 4 | 5 |\n| 6 | 7 | 8 |\n"
    text = refresh_readme.refreshed(README, found, lambda _: f"{new}\nSum 9.\n")
    assert text == README.replace("| a | b |\n| --- | --- |\n| 1 | 2 |\n", new)


def test_a_run_without_a_table_is_an_error():
    with pytest.raises(ValueError, match="no table"):
        refresh_readme.refreshed(README, refresh_readme.commands(README, "other"), lambda _: "oh")


def test_a_command_without_a_table_of_its_own_is_left_alone():
    text = "```sh\npython benchmarks/quality.py\n```\n\nWords.\n\n" + README
    assert len(refresh_readme.commands(text, "quality")) == 1


@pytest.mark.parametrize("benchmark", ["quality", "ablation", "scaling", "overhead"])
def test_the_readmes_own_tables_can_be_taken_anew(benchmark):
    text = PATH.parents[1].joinpath("README.md").read_text(encoding="utf-8")
    found = refresh_readme.commands(text, benchmark)
    assert found
    fresh = refresh_readme.refreshed(text, found, lambda command: f"| {found.index(command)} |\n")
    assert re.findall(r"^```\n\n\| (\d+) \|\n", fresh, re.MULTILINE) == [
        str(i) for i in range(len(found))
    ]

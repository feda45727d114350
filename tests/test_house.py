"""The rules of the three packages, read from their source."""

import ast
import configparser
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("callbacks", "stages", "runner")
FORBIDDEN = {
    "callbacks": {"stages", "runner"},
    "stages": {"callbacks", "runner"},
    "runner": set(),
}
DOORS = ("callbacks", "runner", "stages", "stages.timetable")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, relative names resolved."""
    package = ("schoolbell", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (node.module,) if node.module else ()
            yield from (
                (node.lineno, ".".join((*base, *module, alias.name))) for alias in node.names
            )


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_it_may_know(package):
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in MODULES
        if path.relative_to(ROOT).parts[0] == package
        for line, name in imported(path)
        if name.startswith("schoolbell.") and name.split(".")[1] in FORBIDDEN[package]
    ]
    assert not wrong


def test_packages_import_each_other_relatively():
    wrong = []
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            wrong += [
                f"{path.relative_to(ROOT)}:{node.lineno} imports {name}"
                for name in names
                if name.split(".")[0] in ("schoolbell", *PACKAGES)
            ]
    assert not wrong


def test_every_package_is_listed_for_the_wheel():
    listed = set(setup_cfg()["options"]["packages"].split())
    present = {
        ".".join(("schoolbell", *path.relative_to(ROOT).parent.parts))
        for path in MODULES
        if path.name == "__init__.py"
    }
    assert listed == present | {"schoolbell"}
    without_init = {path.parent for path in MODULES} - {
        path.parent for path in MODULES if path.name == "__init__.py"
    }
    assert not without_init


def test_every_module_has_a_docstring():
    bare = [
        str(path.relative_to(ROOT))
        for path in MODULES
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not bare


@pytest.mark.parametrize("door", [*DOORS, "stages.university"])
def test_a_package_gives_what_it_says_though_it_imports_it_late(door):
    script = f"""
import importlib
import schoolbell.{door} as door
modules = getattr(door, "_MODULES", dict.fromkeys(door.__all__, "callback"))
assert sorted(modules) == sorted(door.__all__)
assert not set(modules) & set(modules.values())
for module in sorted(set(modules.values())):
    importlib.import_module("." + module, door.__name__)
found = {{name: getattr(door, name) for name in door.__all__}}
assert all(one.__name__ == name for name, one in found.items() if name != "Logs"), found
assert set(door.__all__) <= set(dir(door))
assert not hasattr(door, "Timetables")
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("door", DOORS)
def test_a_public_class_has_the_name_of_the_package_that_gives_it(door):
    package = importlib.import_module(f"schoolbell.{door}")
    public = [getattr(package, name) for name in package.__all__]
    assert not [
        one
        for one in public
        # One that an outer package gives has that one's name.
        if isinstance(one, type)
        and one.__module__ != package.__name__
        and not (package.__name__.startswith(one.__module__) and _gives(one))
    ]


def _gives(public: type) -> bool:
    return public.__name__ in sys.modules[public.__module__].__all__


def test_a_public_class_has_a_file_of_its_own_named_after_it():
    wrong = []
    for package in (*PACKAGES, "stages/timetable", "stages/university"):
        init = ROOT / package / "__init__.py"
        for node in ast.walk(ast.parse(init.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ImportFrom) or node.level != 1 or node.module == "errors":
                continue
            source = init.parent.joinpath(*node.module.split(".")).with_suffix(".py")
            tree = ast.parse(source.read_text(encoding="utf-8"))
            classes = {item.name for item in tree.body if isinstance(item, ast.ClassDef)}
            public = sorted(classes & {alias.name for alias in node.names})
            if public and [name.lower() for name in public] != [source.stem.replace("_", "")]:
                wrong.append((str(source.relative_to(ROOT)), public))
    assert not wrong

"""The shape of the tree: small modules that say what they are for, named after things, each with its test file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "airfoil"
MAX_LINES = 400
# A name that says nothing about what is inside attracts everything.
FORBIDDEN_NAMES = {"base", "common", "core", "helper", "helpers", "misc", "shared", "tools", "util", "utils"}
# The rooms of docs/architecture.md. A new one needs a decision record.
ROOMS = {
    "cli",
    "clients",
    "lint",
    "provider",
    "runtime",
    "serving",
    "settings",
    "stack",
    "steps",
    "templates",
}


def python_files(*folders):
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if not {"__pycache__", "templates"}.intersection(path.parts)
    ]


MODULES = python_files("src")
ALL_FILES = python_files("src", "dags", "tests", "benchmarks")


def test_every_room_of_the_house_exists_and_no_other():
    found = {
        path.name for path in PACKAGE.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))
    }
    assert found == ROOMS


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_is_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES, "split it by noun"


@pytest.mark.parametrize(
    "path", python_files("src", "dags", "benchmarks"), ids=lambda path: str(path.relative_to(ROOT))
)
def test_a_module_opens_with_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_is_named_after_a_thing(path):
    names = {path.stem, path.parent.name, *path.stem.split("_")}
    assert not names & FORBIDDEN_NAMES


def test_every_module_has_its_test_file():
    missing = [
        str(path.relative_to(PACKAGE))
        for path in MODULES
        if not path.stem.startswith("__") and not mirror_of(path).is_file()
    ]
    assert missing == []


def test_every_unit_test_file_has_its_module():
    mirrors = {mirror_of(path) for path in MODULES if not path.stem.startswith("__")}
    strays = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests/unit").rglob("test_*.py")
        if path not in mirrors
    ]
    # A package's front door is tested under the package's own name.
    packages = {
        str((ROOT / "tests/unit" / path.parent.relative_to(PACKAGE) / "test_init.py").relative_to(ROOT))
        for path in PACKAGE.rglob("__init__.py")
    }
    benchmarks = {f"tests/unit/benchmarks/test_{path.name}" for path in (ROOT / "benchmarks").glob("*.py")}
    assert set(strays) <= packages | benchmarks


def mirror_of(module: Path) -> Path:
    inside = module.relative_to(PACKAGE)
    return ROOT / "tests" / "unit" / inside.parent / f"test_{inside.name}"


@pytest.mark.parametrize("path", python_files("tests"), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_test_file_belongs_to_a_group(path):
    if path.name.startswith("test_"):
        groups = marks_of(ast.parse(path.read_text(encoding="utf-8")))
        assert groups, "no pytestmark: a test of no group is never chosen"


def marks_of(tree: ast.Module) -> set[str]:
    """The groups named by `pytestmark = pytest.mark.X` or a list of such."""
    return {
        node.attr
        for statement in tree.body
        if isinstance(statement, ast.Assign)
        and any(ast.unparse(one) == "pytestmark" for one in statement.targets)
        for node in ast.walk(statement.value)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "pytest.mark"
    }

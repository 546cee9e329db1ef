"""Style and types are checked by tools; the tools' own exceptions carry their reasons."""

from __future__ import annotations

import re
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(sys.executable).parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCRIPTS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_ruff_finds_nothing():
    said = run("ruff", "check", "--no-cache", "--output-format", "concise", ".")
    assert said.returncode == 0, said.stdout


def test_everything_is_formatted():
    said = run("ruff", "format", "--no-cache", "--check", ".")
    assert said.returncode == 0, said.stdout


def test_types_are_right():
    said = run("mypy")
    assert said.returncode == 0, said.stdout


def test_every_rule_that_is_off_has_its_reason_beside_it():
    lines = (ROOT / "ruff.toml").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if re.match(r'\s+"[A-Z]+\d*",', line)]
    assert len(rules) > 20
    assert [line for line in rules if not re.search(r"#\s+\S+ \S+", line)] == []


@pytest.mark.parametrize(
    "path",
    [path for folder in ("src", "dags", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_an_exception_on_a_line_names_its_rule_and_its_reason(path):
    with path.open("rb") as source:
        comments = [token for token in tokenize.tokenize(source.readline) if token.type == tokenize.COMMENT]
    bare = [
        f"{token.start[0]}: {token.string}"
        for token in comments
        if "noqa" in token.string and not re.search(r"# noqa: [A-Z]+\d+(, ?[A-Z]+\d+)* - \S+", token.string)
    ]
    assert bare == []

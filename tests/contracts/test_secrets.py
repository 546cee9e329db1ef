"""No password that everybody knows: nothing in the tree sets a secret to a literal."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
WHERE = ("src", "dags", "deploy", "docs", "features", "plugins", "benchmarks", ".github", ".ci")
TOP_FILES = ("README.md", "CONTRIBUTING.md", "Makefile", "airfoil.toml", "pyproject.toml")
RENDERED = "setup.json"
"""A server's connections, which is in a checkout where somebody has installed one, and in no repository."""
TEXT = {
    ".cfg",
    ".css",
    ".env",
    ".ini",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".svg",
    ".toml",
    ".yaml",
    ".yml",
    "",
}

# A secret's name, then a literal that is neither empty nor a placeholder.
ASSIGNED = re.compile(
    r"""(?ix) \b [\w.-]*? (password|passwd|secret|token|fernet_key|api_key|access_key) [\w-]* ["']? \s* [:=] \s*
        ["'] (?P<literal> [^"'{}<$\s]{3,} ) ["'] """
)
# Logins that people try first. (Airflow's own "user:role" pairs look alike; their key tells them apart.)
WELL_KNOWN = re.compile(
    r"(?i)\b(airflow:airflow|admin:admin|root:root|postgres:postgres|minioadmin|changeme|hunter2)\b"
)
# Names of fields, types and formats that stand where a secret could.
HARMLESS = {"password", "bearer", "redacted", "string", "str"}


def texts():
    for folder in WHERE:
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                path.is_file()
                and path.suffix in TEXT
                and not {"__pycache__", ".mypy_cache", RENDERED}.intersection(path.parts)
            ):
                yield path
    yield from (ROOT / name for name in TOP_FILES)


@pytest.mark.parametrize("path", list(texts()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_sets_no_secret_to_a_literal(path):
    text = path.read_text(encoding="utf-8")
    literals = [found[0] for found in ASSIGNED.finditer(text) if found["literal"].lower() not in HARMLESS]
    assert literals == []
    logins = [
        line
        for line in text.splitlines()
        if WELL_KNOWN.search(line) and "simple_auth_manager_users" not in line
    ]
    assert logins == []


@pytest.mark.parametrize(
    "line",
    ['password = "letmein"', "POSTGRES_PASSWORD: 'airflow'", '"api_key": "abc123"', "user admin:admin"],
)
def test_the_search_finds_what_it_is_for(line):
    assert ASSIGNED.search(line) or WELL_KNOWN.search(line)

"""Documents say what is true: commands, settings, names and decisions are compared with the code."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import typer

import airfoil
from airfoil.cli.app import app
from airfoil.lint.catalog import CATALOG
from airfoil.settings import PoolSettings, ProfileSettings
from airfoil.settings.airflow_options import OURS
from airfoil.settings.schema import SECTIONS

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
COMMANDS = typer.main.get_command(app).commands
# Tables below a name of the user's own, as docs/settings.md calls them.
NAMED = {"profiles.NAME": ProfileSettings, "pools": PoolSettings}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_the_readme_opens_with_the_two_commands():
    opening = read("README.md")[:600]
    assert "$ make demo" in opening
    assert "$ make test" in opening


def test_the_changelog_has_this_version():
    assert re.search(rf"^## {re.escape(airfoil.__version__)} \(", read("CHANGELOG.md"), re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_documented_with_its_options(name):
    text = read("docs/cli.md")
    assert f"### airfoil {name}\n" in text
    section = text.partition(f"### airfoil {name}\n")[2].partition("\n##")[0]
    options = {option for one in COMMANDS[name].params for option in one.opts if option.startswith("--")}
    assert [option for option in sorted(options - {"--help"}) if option not in section] == []


def test_no_command_is_documented_that_does_not_exist():
    assert set(re.findall(r"^### airfoil (\S+)$", read("docs/cli.md"), re.MULTILINE)) == set(COMMANDS)


def settings_by_key():
    for section, model in SECTIONS.items():
        for key, field in model.model_fields.items():
            yield section, key, field.default


@pytest.mark.parametrize(("section", "key", "default"), list(settings_by_key()))
def test_a_setting_is_documented_with_its_default(section, key, default):
    text = read("docs/settings.md").partition(f"\n## [{section}]\n")[2].partition("\n## ")[0]
    shown = re.search(rf"^\| `{key}` \| (.+?) \|", text, re.MULTILINE)
    assert shown, f"[{section}] {key} is not in docs/settings.md"
    if (section, key) != ("project", "name"):
        assert tomllib.loads(f"value = {shown[1].strip('`')}")["value"] == plain(default)


def plain(value):
    """A default as TOML would hold it."""
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value


def test_no_setting_is_documented_that_does_not_exist():
    documented = set()
    for part in read("docs/settings.md").split("\n## [")[1:]:
        section = part.partition("]")[0]
        table = part.partition("\n## ")[0]
        documented |= {(section, key) for key in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)}
    known = {(section, key) for section, key, _ in settings_by_key()}
    named = {(section, key) for section, model in NAMED.items() for key in model.model_fields}
    assert documented == known | named


def test_every_option_of_airflow_that_is_ours_is_listed():
    table = read("docs/settings.md").partition("\n## [airflow.SECTION]\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"`\[(\w+)\] (\w+)`", table)) == {tuple(dotted.split(".")) for dotted in OURS}


def test_the_public_names_are_documented_and_no_others():
    text = read("docs/python.md").partition("## MlflowHook")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))
    assert documented == set(airfoil.__all__) - {"__version__"}


@pytest.mark.parametrize("name", airfoil.__all__)
def test_a_public_name_can_be_had_and_is_listed(name):
    assert getattr(airfoil, name)
    assert name in dir(airfoil)


def test_the_table_of_the_front_door_is_complete_and_sorted():
    assert set(airfoil.__all__) == {*airfoil._HOMES, "__version__"}
    assert list(airfoil._HOMES) == sorted(airfoil._HOMES)


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        airfoil.nonsense  # noqa: B018 - the access is the test


def test_every_decision_is_in_the_index_and_has_its_parts():
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    index = read("docs/adr/index.md")
    assert [path.name for path in records if f"({path.name})" not in index] == []
    assert len({path.name[:4] for path in records}) == len(records), "two records share a number"
    for path in records:
        text = path.read_text(encoding="utf-8")
        for part in ("Status: ", "## Context", "## Decision", "## Consequences", "## What violates this"):
            assert part in text, f"{path.name} lacks '{part}'"


@pytest.mark.parametrize(
    "page",
    [
        "backup.md",
        "data-quality.md",
        "data-report.md",
        "drift.md",
        "models.md",
        "taxi.md",
        "trading.md",
        "training-sets.md",
        "warehouses.md",
    ],
)
def test_the_python_of_a_page_runs(page):
    """Blocks of a page run one after the other, as a reader would type them."""
    blocks = re.findall(r"^```python\n(.+?)^```$", read(f"docs/{page}"), re.MULTILINE | re.DOTALL)
    assert blocks
    exec(compile("\n".join(blocks), page, "exec"), {})  # noqa: S102 - our own words


def test_every_rule_of_the_check_is_documented_and_no_other():
    rows = re.findall(r"^\| (AF\d+) \| (\w+) \| (.+) \|$", read("docs/check.md"), re.MULTILINE)
    assert rows == [(code, *kind) for code, kind in CATALOG.items()]


def test_the_documentation_builds_without_a_warning(tmp_path):
    # Built from a copy, so that nothing is written into the checkout.
    (tmp_path / "zensical.toml").write_text(read("zensical.toml"), encoding="utf-8")
    shutil.copytree(DOCS, tmp_path / "docs")
    zensical = Path(sys.executable).with_name("zensical")
    said = subprocess.run(
        [zensical, "build", "--strict", "--clean"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stdout + said.stderr
    assert (tmp_path / "site" / "index.html").is_file()


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_of_the_top_pages_lead_somewhere(name):
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(name))
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_makefile_explains_every_target_and_help_lists_them():
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "up", "down", "status", "test", "test-full", "lint", "bench", "docs", "clean"):
        assert re.search(rf"^  make {target} +\S", said, re.MULTILINE), target


def test_clean_leaves_the_state_of_the_platform_alone(tmp_path):
    (tmp_path / "Makefile").write_text(read("Makefile"), encoding="utf-8")
    for folder in (".airfoil/mlflow", ".venv/bin", "src/__pycache__", "dist"):
        (tmp_path / folder).mkdir(parents=True)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    subprocess.run(["make", "clean"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_dir()}
    assert left == {".airfoil", ".airfoil/mlflow", ".venv", ".venv/bin", "src"}


def test_troubleshooting_names_findings_that_exist():
    """And every finding of doctor about a project is a way into that page."""
    from airfoil.stack.doctor import MACHINE_CHECKS, PROJECT_CHECKS

    table = read("docs/troubleshooting.md").partition("## Which finding means what")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ") and "finding" not in line]
    assert len(rows) > 10
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row[2])}
    assert named <= {*MACHINE_CHECKS, *PROJECT_CHECKS}
    assert {"ports", "databases", "permissions", "dags", "memory", "services", "upgrade"} <= named

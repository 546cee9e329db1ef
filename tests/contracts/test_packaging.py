"""What is shipped: a wheel that works alone, templates that are right, a lock without ballast."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from airfoil.cli.platform import PLATFORM_DISTRIBUTIONS
from airfoil.cli.templates import SHIPPED_DAGS
from airfoil.settings import Settings, load
from airfoil.settings.schema import SECTIONS
from airfoil.stack.packages import constraints

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "src" / "airfoil" / "templates"
NAMES = tuple(SHIPPED_DAGS)


def uv() -> str:
    """The uv on PATH, or the one that `make` fetched into .venv."""
    return shutil.which("uv") or str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel that `uv build` makes, by way of the source distribution, as for a release."""
    folder = tmp_path_factory.mktemp("dist")
    said = subprocess.run(
        [uv(), "build", "--quiet", "--out-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    (path,) = folder.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


def test_the_wheel_holds_the_files_for_servers(wheel):
    prefix = "airfoil/templates/"
    shipped = {name.removeprefix(prefix) for name in wheel.namelist() if name.startswith(f"{prefix}deploy/")}
    known = subprocess.run(
        ["git", "ls-files", "deploy"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    # No more than what is in git: a .env beside these files holds the secrets of whoever builds.
    assert shipped == set(known)


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"airfoil"}
    strays = [
        name for name in wheel.namelist() if re.search(r"(^|/)(__pycache__|\.mypy_cache|\.DS_Store)", name)
    ]
    assert strays == []


def test_the_wheel_holds_every_module_and_data_file_of_the_tree(wheel):
    caches = {"__pycache__", ".mypy_cache", ".ruff_cache"}
    expected = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src" / "airfoil").rglob("*")
        if path.is_file() and not caches.intersection(path.parts)
    }
    assert expected
    assert expected - set(wheel.namelist()) == set()


def test_the_wheel_holds_each_template(wheel):
    prefix = "airfoil/templates/minimal/"
    ground = {path.removeprefix(prefix) for path in wheel.namelist() if path.startswith(prefix)}
    assert {"airfoil.toml", "pyproject.toml", "src/NAME/__init__.py", ".gitignore"} <= ground
    for name in NAMES:
        assert f"airfoil/templates/{name}/tests/test_dags.py" in wheel.namelist()


def test_shipped_dags_are_the_ones_of_this_repository(wheel):
    prefix = "airfoil/templates/dags/"
    found = {path.removeprefix(prefix) for path in wheel.namelist() if path.startswith(prefix)}
    files = [
        path for path in (ROOT / "dags").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert found == {path.relative_to(ROOT / "dags").as_posix() for path in files}
    for dag in found:
        assert wheel.read(prefix + dag) == (ROOT / "dags" / dag).read_bytes()


def test_the_wheel_says_how_it_is_started_and_registered(wheel):
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    text = wheel.read(entry_points).decode()
    assert "airfoil = airfoil.cli:main" in text
    assert "provider_info = airfoil.provider.get_provider_info:get_provider_info" in text


def test_a_template_repeats_nothing_of_the_ground():
    for name in NAMES[1:]:
        for path in sorted((TEMPLATES / name).rglob("*.*")):
            ground = TEMPLATES / "minimal" / path.relative_to(TEMPLATES / name)
            if ground.is_file() and "__pycache__" not in path.parts:
                assert ground.read_bytes() != path.read_bytes(), path


def test_a_project_says_the_ids_of_its_dags_in_its_test():
    for name, dags in SHIPPED_DAGS.items():
        ids = {"first_dag", *(dag.removesuffix(".py") for dag in dags if dag.endswith(".py"))}
        text = (TEMPLATES / name / "tests" / "test_dags.py").read_text(encoding="utf-8")
        assert set(re.findall(r'^    "(\w+)": \{', text, re.MULTILINE)) == ids


def with_every_key(path: Path) -> str:
    """The settings file of a template with the "#" before each key taken away."""
    text = path.read_text(encoding="utf-8").replace("{{name}}", "shop")
    return re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)


def test_every_setting_stands_in_the_template_with_its_default(tmp_path):
    text = with_every_key(TEMPLATES / "minimal" / "airfoil.toml")
    (tmp_path / "airfoil.toml").write_text(text, encoding="utf-8")
    given = {f"{section}.{key}" for section, keys in tomllib.loads(text).items() for key in keys}
    known = {f"{section}.{key}" for section, model in SECTIONS.items() for key in model.model_fields}
    assert given == known
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    ours, plain = load(tmp_path, {}), load(tmp_path / "plain", {})
    assert settings_below(ours, tmp_path) == settings_below(plain, tmp_path / "plain")


def settings_below(settings: Settings, root: Path) -> str:
    return settings.model_dump_json().replace(str(root), "")


def test_this_repository_is_a_project(repository):
    assert load(repository, {}).project.name == "airfoil"
    text = (repository / "airfoil.toml").read_text(encoding="utf-8")
    assert text == (TEMPLATES / "minimal" / "airfoil.toml").read_text(encoding="utf-8").replace(
        "{{name}}", "airfoil"
    )


def test_the_lock_holds_no_gpu_libraries():
    packages = {package["name"] for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    gpu = {name for name in packages if re.match(r"(nvidia|cuda|cupy|triton|torch)(-|$)", name)}
    assert gpu == set()
    assert "xgboost" not in packages, "xgboost-cpu is the one without GPU libraries"


def test_the_lock_is_up_to_date():
    said = subprocess.run(
        [uv(), "lock", "--check", "--offline"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr


def test_the_tested_versions_are_those_of_the_lock():
    said = subprocess.run(
        [
            *(uv(), "export", "--offline", "--frozen", "--all-extras", "--no-dev", "--no-emit-project"),
            *("--group", "ldap", "--no-hashes", "--no-annotate", "--no-header", "--quiet"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    carried = constraints.PATH.read_text(encoding="utf-8").splitlines()
    assert carried[0].startswith("#")
    assert carried[1:] == said.stdout.splitlines(), "run `make constraints`"


def test_the_tested_versions_are_within_the_bounds_that_the_wheel_declares():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    for line in (*project["dependencies"], *(line for lines in extras for line in lines)):
        requirement = Requirement(line)
        versions = constraints.pins()[canonicalize_name(requirement.name)]
        assert [one for one in versions if one not in requirement.specifier] == [], line


def test_the_tested_versions_can_be_used_by_pip():
    for line in constraints.PATH.read_text(encoding="utf-8").splitlines()[1:]:
        requirement = Requirement(line)
        assert (requirement.extras, requirement.url) == (set(), None), "a constraint may have neither"


def test_what_is_asked_for_at_up_is_in_the_stack_extra():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["stack"]
    names = {canonicalize_name(Requirement(line).name) for line in extra}
    assert set(PLATFORM_DISTRIBUTIONS) <= names | {"starlette"}
    assert {"uv", "tomlkit"} <= names, "`airfoil add` needs them"

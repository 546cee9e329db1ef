"""The images of a server: every package pinned by the lock, nobody runs as root, nothing secret gets into a build."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from airfoil.stack.deploy import build_context
from airfoil.stack.packages import constraints

pytestmark = pytest.mark.contracts

FOLDER = Path(__file__).parents[2] / "deploy" / "compose"
LISTS = sorted((FOLDER / "images").glob("*.txt"))
DOCKERFILE = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
WHEEL = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
SHIPPED = set(WHEEL["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"])
SHIPPED_HERE = {
    name.removeprefix("deploy/compose/") for name in SHIPPED if name.startswith("deploy/compose/")
}
IMAGES = ("airflow", "features", "mlflow", "status")


def stages() -> dict[str, str]:
    """Each stage of the Dockerfile by its name."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {name: f"FROM {above}\n{body}" for above, name, body in zip(*[iter(parts)] * 3, strict=True)}


def requirements(path: Path) -> list[Requirement]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_there_is_a_list_of_packages_for_each_image():
    assert [path.stem for path in LISTS] == list(IMAGES)
    assert set(IMAGES) <= set(stages())


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.stem)
def test_every_package_is_pinned_by_the_lock_and_named_once(path):
    names = [canonicalize_name(one.name) for one in requirements(path)]
    assert [name for name in names if name not in constraints.pins()] == [], (
        "not in an extra of pyproject.toml"
    )
    assert sorted(set(names)) == sorted(names)
    assert all(not one.specifier for one in requirements(path)), (
        "a version stands in the lock, and there alone"
    )


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_is_a_layer_of_packages_then_airfoil_then_nobody_of_importance(name):
    body = stages()[name]
    assert body.startswith("FROM base\n")
    places = [
        body.index(f"COPY --from={name}-packages "),
        body.index("/wheels/airfoil.sh"),
        body.index("USER airflow"),
    ]
    assert places == sorted(places)
    assert re.search(r"^CMD \[", body, re.MULTILINE), "it says what it is for"
    assert "COPY . " not in body, "only what was sorted out before gets in"


def test_nothing_is_fetched_by_a_moving_name():
    assert ":latest" not in DOCKERFILE
    assert not re.search(r"\b(curl|wget|git clone)\b", DOCKERFILE)
    installs = re.findall(r"pip install [^\n]*-r? ?\S+\.txt", DOCKERFILE)
    assert installs
    assert [line for line in installs if "-c constraints.txt" not in line] == []
    # Airfoil itself comes as it is, and brings no package that was not chosen before.
    assert "--no-deps" in (FOLDER / "images" / "airfoil.sh").read_text(encoding="utf-8")


def test_a_build_sees_only_what_it_is_told_to():
    rules = [line for line in IGNORED if line and not line.startswith("#")]
    assert rules[0] == "*"
    last_allowed = max(index for index, line in enumerate(rules) if line.startswith("!"))
    refused = rules[last_allowed + 1 :]
    for secret in ("**/.env", "**/.env.*", "**/*.key", "**/*.pem", "**/.airfoil"):
        assert secret in refused, "the last rule that fits decides"
    # Passwords, tokens and keys lie in this folder: file by file, each one that is shipped.
    ours = {line for line in rules if line.startswith("!deploy/compose")}
    assert ours == {f"!deploy/compose/{name}" for name in ("constraints.txt", "wheels", *SHIPPED_HERE)}
    assert not {"!deploy", "!."} & set(rules)


def test_the_wheel_of_a_build_in_our_own_checkout_is_whole():
    rules = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}
    assert {name for name in SHIPPED if name not in rules} == set()


@pytest.mark.parametrize(
    ("names", "held"),
    [
        ({}, {"dags/usual.py"}),
        ({"DAGS_FOLDER": "ml flows", "PLUGINS_FOLDER": ""}, {"dags/daily.py", "dags/deep/er.py"}),
        ({"DAGS_FOLDER": "nowhere"}, set()),
    ],
)
def test_a_project_lies_in_the_image_whatever_its_folders_are_called(tmp_path, names, held):
    """The very command of the stage, on folders of this test."""
    context, project = tmp_path / "context", tmp_path / "project"
    for name in (
        "dags/usual.py",
        "ml flows/daily.py",
        "ml flows/deep/er.py",
        "src/shop/a.py",
        "src/airfoil/b.py",
    ):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).touch()
    (context / "airfoil.toml").touch()
    stage = stages()["project"]
    usual = dict(re.findall(r"^ARG (\w+_FOLDER)=(\w+)$", stage, re.MULTILINE))
    assert build_context.arguments(usual) == {}, "what is usual there is usual here"
    command = stage[stage.index("RUN ") + 4 :].partition("\n\n")[0].replace("\\\n", "")
    command = command.replace("/context", str(context)).replace("/project", str(project))
    done = subprocess.run(
        ["sh", "-c", command],
        env={**os.environ, **usual, **names},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    assert found == held | {"airfoil.toml", "src/shop/a.py"}
    assert {"dags", "plugins", "features", "src"} <= {path.name for path in project.iterdir()}
    assert (project / ".airfoil").is_symlink()


def test_no_secret_has_a_default_in_an_image():
    for name, value in re.findall(
        r"(?:ARG|ENV|^\s+)\s*(\w*(?:PASSWORD|SECRET|TOKEN|KEY)\w*)=(\S*)", DOCKERFILE, re.MULTILINE
    ):
        assert value in {"", '""'}, name

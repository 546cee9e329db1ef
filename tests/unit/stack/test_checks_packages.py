"""Doctor on code that hides libraries, and on locks that are not installed."""

from __future__ import annotations

from importlib import metadata

import pytest

from airfoil.errors import ProjectError
from airfoil.stack.checks_packages import check_code, check_packages
from airfoil.stack.packages.lock import Lock
from airfoil.stack.packages.manifest import Manifest

pytestmark = pytest.mark.unit

PYPROJECT = '[project]\nname = "x"\ndependencies = ["pytest"]\n'


@pytest.fixture
def root(world):
    found = world.case.project.root
    (found / "pyproject.toml").write_text(PYPROJECT)
    return found


def bad(world, check):
    return world.bad(check(world.case))


def lock(root, resolved, environment=None):
    name = f"airfoil.{environment}.lock" if environment else "airfoil.lock"
    (root / name).write_text(Lock.of(resolved, Manifest.read(root), environment).text)


def test_a_module_that_hides_a_library_is_named(world, root):
    for path in (
        "src/shop/features.py",
        "src/json.py",
        "src/mlflow/__init__.py",
        "src/data/x.csv",
        "src/shop2.py",
    ):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()

    assert bad(world, check_code) == [
        ("error", "src/json hides the module of Python of the same name from every service and task."),
        ("error", "src/mlflow hides the library of the same name from every service and task."),
    ]
    (root / "src/json.py").unlink()
    (root / "src/mlflow/__init__.py").unlink()
    assert bad(world, check_code) == []


def test_no_code_and_no_lock_are_as_they_should_be(world, root):
    assert bad(world, check_code) == []
    assert bad(world, check_packages) == []


def test_what_is_locked_and_not_installed_is_named(world, root):
    lock(root, f"pytest=={metadata.version('pytest')}\n")
    assert bad(world, check_packages) == []

    lock(root, "pytest==0.1\n" + "".join(f"zz-{number}==1\n" for number in range(6)))
    ((level, message),) = bad(world, check_packages)
    assert level == "warn"
    assert message.startswith(
        "airfoil.lock says pytest 0.1, zz-0 1, zz-1 1, zz-2 1, zz-3 1 and 2 more; that is not"
    )


def test_a_lock_made_from_something_else_is_told(world, root):
    lock(root, "")
    (root / "pyproject.toml").write_text(PYPROJECT.replace("pytest", "pytest>=8"))
    assert bad(world, check_packages) == [
        ("warn", "airfoil.lock was made from other packages or another Airfoil.")
    ]


def test_an_environment_that_was_not_made_is_told(world, root):
    (root / "pyproject.toml").write_text(f'{PYPROJECT}[tool.airfoil.environments]\nold = ["a"]\n')
    lock(root, "a==1\n", "old")
    assert bad(world, check_packages) == [("warn", "The environment old is not what pyproject.toml says.")]


def test_a_broken_pyproject_is_said_in_a_sentence(world, root):
    lock(root, "")
    (root / "pyproject.toml").write_text("[")
    with pytest.raises(ProjectError, match="is not valid TOML"):
        list(check_packages(world.case))

"""Imports run one way, and importing a room loads nothing that is not its own."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.contracts

ROOT = Path(__file__).parents[2]
HEAVY = {"airflow", "feast", "matplotlib", "mlflow", "numpy", "pandas", "sklearn", "skops"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter holds after running `code`."""
    program = f"import sys\n{code}\nprint('LOADED', *{{name.partition('.')[0] for name in sys.modules}})"
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    return set(said.rpartition("LOADED")[2].split())


def test_the_arrows_hold():
    said = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stdout


def test_every_contract_is_a_sentence():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert all(len(contract["name"].split()) >= 6 for contract in contracts)


def test_the_front_door_loads_nothing():
    assert not loaded_by("import airfoil") & {*HEAVY, "pydantic", "httpx"}


@pytest.mark.parametrize(
    "module", sorted((ROOT / "src/airfoil/steps").rglob("*.py")), ids=lambda path: path.stem
)
def test_a_step_loads_no_airflow_no_server_client_and_no_ml_library_before_it_is_used(module):
    name = ".".join(module.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
    assert not loaded_by(f"import {name}") & {*HEAVY, "httpx", "psutil", "starlette", "typer", "uvicorn"}


def test_running_a_step_still_loads_no_airflow_and_no_client():
    code = (
        "from airfoil.steps.charts import draw_confusion\n"
        "from airfoil.steps.training import ForestParameters, train_forest, wine_data\n"
        "trained = train_forest(wine_data(), ForestParameters(trees=2))\n"
        "draw_confusion(trained.confusion, trained.label_names)"
    )
    assert not loaded_by(code) & {"airflow", "feast", "httpx", "mlflow"}


@pytest.mark.parametrize(
    "room", ["stack", "settings", "serving", "lint", "clients.tracking", "provider.get_provider_info"]
)
def test_a_room_is_light_to_enter(room):
    assert not loaded_by(f"import airfoil.{room}") & HEAVY


def test_help_loads_nothing_heavy():
    code = "sys.argv = ['airfoil', '--help']\ntry:\n    import airfoil.cli as c; c.main()\nexcept SystemExit:\n    pass"
    assert not loaded_by(code) & {*HEAVY, "httpx", "pydantic", "starlette", "uvicorn"}


def test_matplotlib_is_used_without_its_global_state():
    pyplot = [
        str(path.relative_to(ROOT))
        for folder in ("src", "dags")
        for path in (ROOT / folder).rglob("*.py")
        if "matplotlib.pyplot" in path.read_text(encoding="utf-8")
    ]
    assert pyplot == []


def test_only_settings_reads_airfoils_variables():
    """Server processes (runtime) are the exception: the stack hands them their arguments that way."""
    readers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "src/airfoil").rglob("*.py")
        if "runtime" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"os.getenv", "os.environ.get"}
        and "AIRFOIL_" in ast.unparse(node.args[0])
    }
    assert readers == set()

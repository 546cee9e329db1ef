"""How one Airflow component starts: what it checks, what it prepares, in which order. Airflow is a stand-in."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

import airfoil.runtime
from airfoil.runtime import EXIT_UNSUPPORTED, component, succession, tether, warmup

pytestmark = pytest.mark.unit


@pytest.fixture
def calls(monkeypatch) -> list[str]:
    """What happened, in order."""
    said: list[str] = []
    airflow, main = ModuleType("airflow"), ModuleType("airflow.__main__")
    airflow.settings = SimpleNamespace(  # type: ignore[attr-defined]
        dispose_orm=lambda **_: said.append("dispose"), configure_orm=lambda: said.append("configure")
    )
    main.main = lambda: said.append(" ".join(sys.argv))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airflow", airflow)
    monkeypatch.setitem(sys.modules, "airflow.__main__", main)
    monkeypatch.setattr(
        tether, "install", lambda *, with_family: said.append(f"tether, family: {with_family}")
    )
    monkeypatch.setattr(succession, "declare_predecessors_dead", lambda: said.append("succession"))
    monkeypatch.setattr(warmup, "build_api", lambda: said.append("warm up"))
    return said


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["airfoil.runtime.component", *arguments])
    component.main()


@pytest.mark.parametrize(
    ("name", "special"),
    [("scheduler", ["succession"]), ("api-server", ["warm up"]), ("triggerer", []), ("dag-processor", [])],
)
def test_each_component_runs_airflows_own_command_line_with_fresh_connections(
    monkeypatch, calls, name, special
):
    run(monkeypatch, name, "--port", "1")
    assert calls == [
        f"tether, family: {name == 'scheduler'}",
        "dispose",
        "configure",
        *special,
        f"airflow {name} --port 1",
    ]


@pytest.mark.parametrize(
    ("lacking", "arguments", "expected"),
    [
        ("", (), "our own"),
        ("a method", (), "airflow dag-processor"),
        ("", ("--num-runs", "1"), "airflow dag-processor --num-runs 1"),
    ],
)
def test_the_dag_processor_is_ours_where_airflow_allows_it(monkeypatch, calls, lacking, arguments, expected):
    ours = ModuleType("airfoil.runtime.dag_processor")
    ours.unsupported = lambda: lacking  # type: ignore[attr-defined]
    ours.run = lambda: calls.append("our own")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "airfoil.runtime.dag_processor", ours)
    monkeypatch.setattr(airfoil.runtime, "dag_processor", ours, raising=False)
    run(monkeypatch, "dag-processor", *arguments)
    assert calls[-1] == expected


@pytest.mark.parametrize("missing", ["dispose_orm", "configure_orm"])
def test_an_unknown_airflow_is_left_to_the_plain_command_before_anything_is_touched(
    monkeypatch, calls, capsys, missing
):
    delattr(sys.modules["airflow"].settings, missing)
    with pytest.raises(SystemExit) as end:
        run(monkeypatch, "scheduler")
    assert end.value.code == EXIT_UNSUPPORTED
    assert calls == []
    assert "starting the plain component" in capsys.readouterr().err

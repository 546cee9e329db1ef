"""Starting MLflow directly: what the self-test demands, and what MLflow is told. No server here."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from airfoil.runtime import EXIT_UNSUPPORTED, mlflow_server

pytestmark = pytest.mark.unit

NAMES = (
    "BACKEND_STORE_URI_ENV_VAR",
    "REGISTRY_STORE_URI_ENV_VAR",
    "ARTIFACT_ROOT_ENV_VAR",
    "ARTIFACTS_DESTINATION_ENV_VAR",
    "SERVE_ARTIFACTS_ENV_VAR",
)


class Mlflow:
    """A stand-in for the pieces of MLflow that the launcher leans on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.top, self.server = ModuleType("mlflow"), ModuleType("mlflow.server")
        self.top.__version__ = f"{mlflow_server.TESTED_RELEASES[0]}9"  # type: ignore[attr-defined]
        self.constants = SimpleNamespace(**{name: f"_X_{name}" for name in NAMES})
        self.handlers = SimpleNamespace(initialize_backend_stores=lambda *given: self.calls.append(given))
        pieces = {
            "constants": self.constants,
            "handlers": self.handlers,
            "_bootstrap_basic_auth": lambda: self.calls.append(("admin",)),
            "_find_app": lambda name: f"mlflow.server.auth:{name}",
            "_is_factory": lambda _app: True,
        }
        for name, piece in pieces.items():
            setattr(self.server, name, piece)
        for module in (self.top, self.server):
            monkeypatch.setitem(sys.modules, module.__name__, module)


@pytest.fixture
def mlflow(monkeypatch) -> Mlflow:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    return Mlflow(monkeypatch)


# -- the self-test


def test_a_release_that_we_know_passes(mlflow, capsys):
    mlflow_server.self_test()
    assert capsys.readouterr().err == ""


def unsupported(capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        mlflow_server.self_test()
    assert end.value.code == EXIT_UNSUPPORTED
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith("mlflow launcher: ")
    assert said.endswith("; starting `mlflow server` instead")
    return said


@pytest.mark.parametrize("version", ["3.16.9", "3.18.0", "4.0.0", "3.170.0", "2.22.0"])
def test_another_release_is_left_to_the_plain_command(mlflow, capsys, version):
    mlflow.top.__version__ = version
    assert f"MLflow {version} is not one we have tested (3.17.x)" in unsupported(capsys)


@pytest.mark.parametrize("name", NAMES)
def test_every_private_name_is_checked(mlflow, capsys, name):
    delattr(mlflow.constants, name)
    assert name in unsupported(capsys)


@pytest.mark.parametrize("name", ["_bootstrap_basic_auth", "_find_app", "constants", "handlers"])
def test_every_private_function_is_checked(mlflow, capsys, name):
    delattr(mlflow.server, name)
    assert name in unsupported(capsys)


def test_a_store_that_is_opened_otherwise_is_noticed(mlflow, capsys):
    del mlflow.handlers.initialize_backend_stores
    assert "initialize_backend_stores" in unsupported(capsys)


def test_a_person_may_ask_for_the_plain_command(mlflow, capsys):
    os.environ["AIRFOIL_MLFLOW_LAUNCHER"] = "plain"
    assert "the plain command was asked for" in unsupported(capsys)


# -- handing over


def test_the_application_is_told_where_everything_lies(mlflow):
    mlflow_server.hand_over("sqlite:////d", "sqlite:////r", "s3://bucket/x")
    said = {name: os.environ[f"_X_{name}"] for name in NAMES}
    assert [said[name] for name in NAMES] == [
        "sqlite:////d",
        "sqlite:////r",
        "mlflow-artifacts:/",
        "s3://bucket/x",
        "true",
    ]
    assert mlflow.calls == [("sqlite:////d", "sqlite:////r", "mlflow-artifacts:/")]
    assert os.environ["_MLFLOW_IN_JOB_EXECUTOR"] == "false"


def test_each_start_has_an_identity_of_its_own(mlflow):
    found = set()
    for _ in range(2):
        mlflow_server.hand_over("d", "r", "a")
        found.add(os.environ["_MLFLOW_SERVER_BOOT_ID"])
    assert len(found) == 2


def test_without_login_the_application_is_mlflows_own(mlflow):
    assert mlflow_server.application(auth=False) == ("mlflow.server.fastapi_app:app", False)
    assert mlflow.calls == []


def test_with_login_the_administrator_exists_before_anybody_can_ask(mlflow):
    assert mlflow_server.application(auth=True) == ("mlflow.server.auth:basic-auth", True)
    assert mlflow.calls == [("admin",)]
    assert os.environ["_MLFLOW_AUTH_ADMIN_BOOTSTRAPPED"] == "true"


def test_the_start_is_in_this_order(mlflow, monkeypatch, tmp_path):
    url, ready = f"sqlite:///{tmp_path}/mlflow.db", []
    monkeypatch.setattr(mlflow_server.mlflow_database, "make_ready", lambda *given: ready.append(given))
    os.environ |= {"MLFLOW_BACKEND_STORE_URI": url, "MLFLOW_ARTIFACTS_DESTINATION": "/a"}
    served: list[tuple[Any, dict[str, Any]]] = []
    uvicorn = ModuleType("uvicorn")
    uvicorn.run = lambda app, **options: served.append((app, options))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uvicorn", uvicorn)
    monkeypatch.setattr(sys, "argv", ["x", "--host", "127.0.0.1", "--port", "5", "--applied", "/a.json"])
    mlflow_server.main()
    assert ready == [(url, Path("/a.json"))]
    assert mlflow.calls == [(url, url, "mlflow-artifacts:/")]
    ((app, options),) = served
    assert app == "mlflow.server.fastapi_app:app"
    assert (options["host"], options["port"], options["factory"]) == ("127.0.0.1", 5, False)
    assert 0 < options["timeout_graceful_shutdown"] < 5, "shorter than the stack waits before it kills"

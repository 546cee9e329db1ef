"""Serving features in one process: which repository, who may call, and what ends it. No server is started here."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from airfoil.errors import NotFoundError
from airfoil.runtime import feature_server

pytestmark = pytest.mark.unit


class App:
    def __init__(self) -> None:
        self.middleware: list[tuple[str, list[str]]] = []

    def add_middleware(self, kind, allowed_hosts):
        self.middleware.append((kind.__name__, allowed_hosts))


@pytest.fixture
def feast(monkeypatch):
    """A stand-in for the pieces of Feast's server; what they were called with."""
    calls: list[tuple] = []
    server, utils = ModuleType("feast.feature_server"), ModuleType("feast.permissions.server.utils")
    server.get_app = lambda store, seconds: calls.append(("app", store, seconds)) or App()
    utils.ServerType = SimpleNamespace(REST="rest")
    utils.str_to_auth_manager_type = lambda kind: f"<{kind}>"
    utils.init_security_manager = lambda auth_type, fs: calls.append(("security", auth_type))
    utils.init_auth_manager = lambda auth_type, server_type, auth_config: calls.append(
        ("auth", auth_type, server_type)
    )
    for name in ("feast", "feast.permissions", "feast.permissions.server"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    for module in (server, utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    store = SimpleNamespace(config=SimpleNamespace(auth_config=SimpleNamespace(type="no_auth")))
    monkeypatch.setattr(
        feature_server, "open_repository", lambda folder: calls.append(("open", folder)) or store
    )
    return calls


def test_the_repositorys_own_way_to_ask_who_calls_is_set_up_first(feast, tmp_path):
    feature_server.application(tmp_path, "127.0.0.1")
    assert [call[0] for call in feast] == ["open", "security", "auth", "app"]
    assert feast[0] == ("open", tmp_path)
    assert feast[1] == ("security", "<no_auth>")


@pytest.mark.parametrize(
    ("host", "names"),
    [("127.0.0.1", ["localhost", "127.0.0.1"]), ("0.0.0.0", ["*"])],  # noqa: S104 - nothing listens
)
def test_on_this_machine_only_its_own_names_are_answered(feast, tmp_path, host, names):
    made = feature_server.application(tmp_path, host)
    assert made.middleware == [("TrustedHostMiddleware", names)]


def test_it_listens_where_it_is_told_and_leaves_no_log_of_requests(feast, monkeypatch, tmp_path):
    served = {}
    uvicorn = ModuleType("uvicorn")
    uvicorn.run = lambda app, **options: served.update(options)
    monkeypatch.setitem(sys.modules, "uvicorn", uvicorn)
    monkeypatch.setattr(
        sys, "argv", ["x", "--repository", str(tmp_path), "--host", "127.0.0.1", "--port", "6566"]
    )
    feature_server.main()
    assert (served["host"], served["port"], served["access_log"]) == ("127.0.0.1", 6566, False)


def test_a_folder_that_is_no_repository_is_one_line_and_not_tried_again(monkeypatch, tmp_path, capsys):
    def refuse(_):
        raise NotFoundError("There is no feature repository at /x", "Make one.")

    monkeypatch.setattr(feature_server, "open_repository", refuse)
    monkeypatch.setattr(sys, "argv", ["x", "--repository", "/x", "--host", "127.0.0.1", "--port", "1"])
    monkeypatch.setattr(feature_server, "application", lambda *_: refuse(None))
    with pytest.raises(SystemExit) as ended:
        feature_server.main()
    assert ended.value.code == feature_server.EXIT_CONFIGURATION
    assert capsys.readouterr().err == "There is no feature repository at /x. Make one.\n"

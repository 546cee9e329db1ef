"""Logins at servers that are not ours: where they come from, how long they live, and that they go nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from airfoil.errors import AirfoilError, ConfigurationError, NeighbourError
from airfoil.settings import Settings
from airfoil.settings.foreign import refuse_contradictions
from airfoil.settings.schema import AirflowSettings, MlflowSettings
from airfoil.stack import secrets, servers
from airfoil.stack.project import Project
from airfoil.stack.servers import Server
from airfoil.stack.state import ServiceState, StackState

pytestmark = pytest.mark.unit

URL = "https://mlflow.example.com"
PASSWORD = "kept-Passw0rt"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path / "Lädchen 2")
    made.root.mkdir()
    made.prepare()
    return made


def settings(url: str = URL, username: str = "ann") -> Settings:
    return Settings(mlflow=MlflowSettings(url=url, username=username))


def resolved(project, given=None, environ=None) -> Server:
    return servers.resolve(given or settings(), project, environ or {})["mlflow"]


def test_nothing_is_foreign_until_an_address_is_set(project):
    assert servers.resolve(Settings(), project, {"AIRFOIL_MLFLOW_PASSWORD": PASSWORD}) == {}


def test_both_may_be_foreign(project):
    both = Settings(airflow=AirflowSettings(url="http://airflow:8080"), mlflow=MlflowSettings(url=URL))
    assert set(servers.resolve(both, project, {})) == {"airflow", "mlflow"}


def test_the_environment_wins_over_what_is_stored(project):
    servers.store_login(project, Server("mlflow", URL, "ann", PASSWORD))
    assert resolved(project).password == PASSWORD
    assert resolved(project, environ={"AIRFOIL_MLFLOW_PASSWORD": "other"}).password == "other"
    assert resolved(project, environ={"AIRFOIL_MLFLOW_PASSWORD": ""}).password == PASSWORD


@pytest.mark.parametrize(
    "changed", [settings(url="https://evil.example.com"), settings(username="bob"), settings(url=URL + "/x")]
)
def test_a_password_is_sent_to_no_other_server_and_under_no_other_name(project, changed):
    servers.store_login(project, Server("mlflow", URL, "ann", PASSWORD))
    servers.settle(project, {"mlflow": Server("mlflow", URL, "ann", PASSWORD)})
    assert resolved(project, changed).password == ""


def test_a_stored_name_stands_in_for_one_that_is_not_set(project):
    servers.store_login(project, Server("mlflow", URL, "ann", PASSWORD))
    assert resolved(project, settings(username="")).auth == ("ann", PASSWORD)


def test_a_server_without_login_has_none(project):
    assert resolved(project, settings(username="")).auth is None


def test_what_up_was_given_serves_other_commands_until_down(project):
    given = {"mlflow": Server("mlflow", URL, "ann", PASSWORD)}
    servers.settle(project, given)
    assert servers.settled(project) == given
    assert resolved(project).password == PASSWORD
    servers.unsettle(project)
    assert servers.settled(project) == {}
    assert resolved(project).password == ""


def test_a_new_login_is_used_by_what_runs_at_once(project):
    servers.settle(project, {"mlflow": Server("mlflow", URL, "ann", "old")})
    servers.store_login(project, Server("mlflow", URL, "ann", PASSWORD))
    assert servers.settled(project)["mlflow"].password == PASSWORD


def test_a_login_can_be_deleted(project):
    assert not servers.delete_login(project, "mlflow")
    servers.store_login(project, Server("mlflow", URL, "ann", PASSWORD))
    assert servers.has_login(project, "mlflow")
    assert servers.delete_login(project, "mlflow")
    assert not servers.has_login(project, "mlflow")


def test_the_files_are_private_and_a_server_shows_no_password(project):
    server = Server("mlflow", URL, "ann", PASSWORD)
    servers.store_login(project, server)
    servers.settle(project, {"mlflow": server})
    for path in (servers.stored_file(project), servers.running_file(project)):
        assert path.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in repr(server)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"mlflow": "x"}', "\x00\xff"])
def test_a_damaged_file_is_an_error_that_shows_nothing_of_it(project, text):
    servers.stored_file(project).write_text(text + PASSWORD if text else "", encoding="utf-8")
    with pytest.raises(AirfoilError, match="is damaged") as error:
        resolved(project)
    assert PASSWORD not in f"{error.value} {error.value.next_move}"


def state(project: Project, **foreign: str) -> StackState:
    rows = [
        ServiceState(name, name, "service", "ready", 1.0, url=f"http://127.0.0.1:{port}")
        for name, port in (("api-server", 8080), ("mlflow", 5000))
        if {"api-server": "airflow"}.get(name, name) not in foreign
    ]
    return StackState(
        str(project.root), "id", "plain", "ready", 1.0, 1.0, 1, 1.0, services=tuple(rows), foreign=foreign
    )


def test_clients_of_our_own_servers_log_in_with_the_generated_secrets(project):
    keys = secrets.ensure(project)
    found = servers.airflow_of(project, state(project))
    assert (found.url, found.auth, found.foreign) == (
        "http://127.0.0.1:8080",
        ("admin", keys.admin_password),
        False,
    )
    assert servers.mlflow_of(project, state(project), auth=False).auth is None
    assert servers.mlflow_of(project, state(project), auth=True).auth == ("admin", keys.mlflow_admin_password)


def test_clients_of_foreign_servers_get_no_secret_of_ours(project):
    secrets.ensure(project)
    running = state(project, airflow="http://airflow:8080", mlflow=URL)
    assert servers.airflow_of(project, running) == Server("airflow", "http://airflow:8080")
    servers.settle(project, {"mlflow": Server("mlflow", URL, "ann", PASSWORD)})
    assert servers.mlflow_of(project, running, auth=False).auth == ("ann", PASSWORD)


def test_a_stack_without_the_service_says_so(project):
    secrets.ensure(project)
    bare = state(project, mlflow=URL)
    with pytest.raises(NeighbourError, match="no mlflow with an address"):
        servers._url(bare, "mlflow")


def test_settings_and_logins_speak_of_the_same_command():
    for name in servers.NAMES:
        with pytest.raises(ConfigurationError) as error:
            refuse_contradictions({f"{name}.url": "http://a:b@c"}, str)
        assert servers.login_command(name) in error.value.next_move

"""What is asked of the stack, when commands mean a server: addresses are given, starting is refused."""

import pytest

from airfoil.errors import ConfigurationError
from airfoil.stack import launch, servers, target, targeted
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

ENV = (
    "AIRFOIL_URL=https://ml\n_AIRFLOW_WWW_USER_USERNAME=ada\n_AIRFLOW_WWW_USER_PASSWORD=one\n"
    "MLFLOW_ADMIN_PASSWORD=two\n"
)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "airfoil.toml").touch()
    (tmp_path / ".env").write_text(ENV, encoding="utf-8")
    found = Project(tmp_path)
    target.use_compose(found, tmp_path)
    return found


def test_a_server_is_known_by_its_addresses(project):
    state = targeted.current(project)
    assert state.foreign == {"airflow": "https://ml", "mlflow": "https://ml/mlflow"}
    assert state.service("page").url == "https://ml/status/"
    airflow = servers.airflow_of(project, state)
    assert (airflow.url, airflow.auth) == ("https://ml", ("ada", "one"))
    assert servers.mlflow_of(project, state, auth=False).auth == ("admin", "two")


def test_what_runs_here_is_known_as_before(project, monkeypatch):
    target.use_embedded(project)
    monkeypatch.setattr(launch, "current", lambda _: "what runs here")
    assert targeted.current(project) == "what runs here"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda project: targeted.up(project, None, print), "docker compose up -d"),
        (lambda project: targeted.restart(project, "mlflow", print), "docker compose restart mlflow"),
    ],
)
def test_a_server_is_not_started_from_here(project, call, said):
    with pytest.raises(ConfigurationError) as caught:
        call(project)
    assert said in caught.value.next_move
    assert "airfoil target use embedded" in caught.value.next_move


def test_what_runs_here_can_be_stopped_all_the_same(project, monkeypatch):
    monkeypatch.setattr(launch, "down", lambda *_: True)
    assert targeted.down(project, print) is True


def test_what_runs_here_is_known_whatever_commands_mean(project, monkeypatch):
    monkeypatch.setattr(launch, "current", lambda _: None)
    assert targeted.here(project) is None
    assert targeted.current(project) is not None


def test_who_opens_databases_is_sent_to_the_part_maintenance(project):
    with pytest.raises(ConfigurationError, match="mean the Compose server in") as caught:
        targeted.refuse_upkeep(project, "clean work")
    assert "airfoil.runtime.container.maintenance clean work`" in caught.value.next_move
    target.use_embedded(project)
    targeted.refuse_upkeep(project, "clean work")

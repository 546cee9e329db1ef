"""Which platform commands mean: written down once, read from the server's own .env each time."""

import stat

import pytest

from airfoil.errors import ConfigurationError, StorageError
from airfoil.stack import process, services, target
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

ENV = """# written by airfoil deploy compose
AIRFOIL_URL=https://ml.example.org/
_AIRFLOW_WWW_USER_USERNAME=ada
_AIRFLOW_WWW_USER_PASSWORD='it is$ 8 # long'
MLFLOW_ADMIN_PASSWORD=dollar$$sign
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "airfoil.toml").touch()
    return Project(tmp_path)


@pytest.fixture
def server(project):
    folder = project.root / "deploy" / "compose"
    folder.mkdir(parents=True)
    (folder / ".env").write_text(ENV, encoding="utf-8")
    (folder / "compose.yaml").touch()
    return folder


def test_commands_mean_this_machine_unless_somebody_chose(project):
    assert target.active(project) is None
    target.use_embedded(project)
    assert target.active(project) is None


def test_a_chosen_server_stays_chosen_until_it_is_not(project, server):
    target.use_compose(project, server)
    assert target.active(project).folder == server
    target.use_embedded(project)
    assert target.active(project) is None


def test_what_the_platform_of_this_machine_runs_itself_means_that_platform(project, server, monkeypatch):
    target.use_compose(project, server)
    monkeypatch.setenv(process.STACK_MARK, "of another project")
    assert target.active(project).folder == server
    monkeypatch.setenv(process.STACK_MARK, services.stack_id(project))
    assert target.active(project) is None


def test_logins_are_read_as_compose_reads_them(project, server):
    assert target.use_compose(project, server).logins() == {
        "airflow": {
            "url": "https://ml.example.org",
            "username": "ada",
            "password": "it is$ 8 # long",
        },
        "mlflow": {
            "url": "https://ml.example.org/mlflow",
            "username": "admin",
            "password": "dollar$sign",
        },
    }


def test_an_mlflow_of_somebody_else_is_asked_there_with_the_login_for_it(project, server):
    more = "MLFLOW_URL=https://mlflow.example.org/\nMLFLOW_AIRFLOW_USERNAME=shop\nMLFLOW_AIRFLOW_PASSWORD='s/1'\n"
    chosen = target.use_compose(project, server)
    assert not chosen.has_other_mlflow
    (server / ".env").write_text(ENV.replace("MLFLOW_ADMIN_PASSWORD=dollar$$sign\n", more), encoding="utf-8")
    row = {"url": "https://mlflow.example.org", "username": "shop", "password": "s/1"}
    assert chosen.logins()["mlflow"] == row
    assert chosen.has_other_mlflow
    assert chosen.logins()["airflow"]["url"] == "https://ml.example.org"
    (server / ".env").write_text(f"{ENV}MLFLOW_URL=https://mlflow.example.org\n", encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match="no value for MLFLOW_AIRFLOW_USERNAME, MLFLOW_AIRFLOW_PASSWORD"
    ):
        chosen.logins()


def test_no_secret_is_kept_twice(project, server):
    target.use_compose(project, server)
    kept = project.state / "target.json"
    assert "long" not in kept.read_text(encoding="utf-8")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_the_files_that_there_are_are_named(project, server):
    command = target.use_compose(project, server).command("ps")
    assert command == [
        *("docker", "compose", "--project-directory", str(server)),
        *("-f", str(server / "compose.yaml"), "ps"),
    ]
    (server / "compose.override.yaml").touch()
    assert str(server / "compose.override.yaml") in target.active(project).command("ps")


def test_a_file_of_ones_own_belongs_to_the_server(project, server):
    chosen = target.use_compose(project, server)
    for name in ("compose.override.yaml", "mine.yaml"):
        (server / name).touch()
    assert str(server / "mine.yaml") not in chosen.command("ps")
    with (server / ".env").open("a", encoding="utf-8") as environment:
        environment.write("COMPOSE_FILE=compose.yaml:compose.override.yaml:mine.yaml\n")
    named = [part for part in chosen.command("ps") if part.endswith(".yaml")]
    assert named == [str(server / name) for name in ("compose.yaml", "compose.override.yaml", "mine.yaml")]


def test_a_file_that_is_named_and_missing_is_left_for_compose_to_refuse(project, server):
    with (server / ".env").open("a", encoding="utf-8") as environment:
        environment.write("COMPOSE_FILE=compose.yaml:mine.yaml\n")
    assert str(server / "mine.yaml") in target.use_compose(project, server).command("ps")


def test_its_own_authority_is_found_when_it_has_one(project, server):
    chosen = target.use_compose(project, server)
    assert chosen.authority is None
    (server / "ca.crt").touch()
    assert chosen.authority == server / "ca.crt"


@pytest.mark.parametrize("tls", ["automatic", "own"])
def test_an_authority_that_was_left_behind_by_another_setting_is_not_trusted(project, server, tls):
    chosen = target.use_compose(project, server)
    (server / "ca.crt").touch()
    (server / ".env").write_text(f"{ENV}AIRFOIL_TLS={tls}\n", encoding="utf-8")
    assert chosen.authority is None
    (server / "tls").mkdir()
    (server / "tls" / "ca.crt").touch()
    assert chosen.authority == (server / "./tls/ca.crt" if tls == "own" else None)


def test_no_authority_is_looked_for_where_there_is_no_server_any_more(project, server):
    chosen = target.use_compose(project, server)
    (server / ".env").unlink()
    assert chosen.authority is None


def test_a_folder_without_a_server_is_refused(project, tmp_path):
    with pytest.raises(ConfigurationError, match="no Compose server in"):
        target.use_compose(project, tmp_path / "elsewhere")
    assert target.active(project) is None


def test_an_env_that_lacks_a_password_is_refused(project, server):
    (server / ".env").write_text(ENV.replace("MLFLOW_ADMIN_PASSWORD=dollar$$sign", ""), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no value for MLFLOW_ADMIN_PASSWORD"):
        target.use_compose(project, server)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_choice_is_told(project, text):
    project.prepare()
    (project.state / "target.json").write_text(text, encoding="utf-8")
    with pytest.raises(StorageError, match="damaged"):
        target.active(project)

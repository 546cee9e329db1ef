import pytest

from airfoil.cli import context
from airfoil.cli.context import Invocation
from airfoil.errors import NeighbourError, ProjectError, SettingsError

pytestmark = pytest.mark.unit


def test_the_project_is_found_from_a_folder_in_it(project, monkeypatch):
    monkeypatch.chdir(project.dags)

    assert Invocation().project() == project


def test_project_option_wins_over_the_current_folder(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert Invocation(start=project.dags).project() == project


def test_a_project_option_that_is_no_folder(project):
    with pytest.raises(ProjectError, match=r"--project .*nope is not a folder\.$"):
        Invocation(start=project.root / "nope").project()


def test_outside_of_a_project_the_next_move_is_init(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ProjectError) as caught:
        Invocation().project()

    assert "airfoil init" in caught.value.next_move


def test_a_current_folder_that_was_removed(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    with pytest.raises(ProjectError, match="does not exist any more"):
        Invocation().project()


def test_settings_are_read_from_the_project(project, monkeypatch):
    project.toml.write_text('[project]\nname = "shop"\n[mlflow]\nprot = 1\n')

    with pytest.raises(SettingsError, match="prot"):
        Invocation().settings(project)


def test_what_does_not_run_is_told_with_how_to_start_it(project, stack):
    with pytest.raises(NeighbourError) as caught:
        Invocation(stack=stack).running(project)

    assert caught.value.next_move == "Start it: `airfoil up`."


def test_clients_find_their_servers_and_passwords(project, running, stack, answer):
    running.server.on("GET", "/api/2.0/mlflow/model-versions/search", answer({}))
    invocation = Invocation(stack=stack)

    with invocation.airflow(project, stack.state) as airflow:
        assert airflow.dags() == []
    with invocation.mlflow(project, invocation.settings(project), stack.state) as mlflow:
        assert mlflow.model_versions(1) == []

    (login,) = running.server.asked("/auth/token")
    assert login.body["username"] == "admin"
    assert len(login.body["password"]) >= 16
    assert "authorization" not in running.server.requests[-1].headers


def test_mlflow_with_logins_gets_one(project, running, stack, answer):
    project.toml.write_text("[mlflow]\nauth = true\n")
    running.server.on("GET", "/api/2.0/mlflow/model-versions/search", answer({}))
    invocation = Invocation(stack=stack)

    with invocation.mlflow(project, invocation.settings(project), stack.state) as mlflow:
        mlflow.model_versions(1)

    assert running.server.requests[-1].headers["authorization"].startswith("Basic ")


def test_a_stack_without_the_service(project, a_state, a_service):
    for state in (a_state(), a_state(a_service("api-server", url=None))):
        with pytest.raises(NeighbourError, match="no api-server with an address"):
            Invocation.airflow(project, state)


def test_no_browser_is_started_where_there_is_no_window(monkeypatch):
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    monkeypatch.setattr("sys.platform", "linux")
    for name in context.DISPLAYS:
        monkeypatch.delenv(name, raising=False)

    assert context.open_in_browser("http://x") is False
    monkeypatch.setenv("DISPLAY", ":0")
    assert context.open_in_browser("http://x") is True
    assert opened == ["http://x"]


def test_a_browser_that_cannot_be_started_is_none(monkeypatch):
    import webbrowser

    def fail(_):
        raise webbrowser.Error("no runnable browser")

    monkeypatch.setattr("webbrowser.open", fail)
    monkeypatch.setenv("DISPLAY", ":0")

    assert context.open_in_browser("http://x") is False

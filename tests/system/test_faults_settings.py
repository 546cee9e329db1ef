"""Wrong settings: the line is named, what was meant is guessed, nothing is started, and what runs is left alone."""

from __future__ import annotations

import pytest
from tests.system.faults import assert_nothing_started, files, refusal

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def idle(make_platform):
    """Make one project that is never started."""
    return make_platform()


@pytest.mark.parametrize(
    ("text", "sentence", "move"),
    [
        (b"[airflow]\nport = 80 80\n", "{file}:2 is not valid TOML:", "Correct line 2 of the file."),
        (b"[page\nport = 1\n", "{file}:1 is not valid TOML:", "Correct line 1 of the file."),
        (b'[mlflow]\n\nartifacts = "s3://b\n', "{file}:3 is not valid TOML:", "Correct line 3 of the file."),
        (b"[airflow]\n# \xff\nport = 1\n", "{file}:2 is not UTF-8 text.", "Save the file as UTF-8."),
        (
            b"# mine\n[airflow]\nprot = 1\n",
            "{file}:3: there is no setting airflow.prot.",
            "Did you mean airflow.port?",
        ),
        (
            b"[mlflow]\nport = 5001\nartefacts = ''\n",
            "{file}:3: there is no setting",
            "Did you mean mlflow.artifacts?",
        ),
        (b"[airflw]\nport = 1\n", "{file}:1: there is no section [airflw].", "Did you mean [airflow]?"),
        (b"port = 1\n", "{file}:1: there is no setting port.", "Did you mean"),
        (
            b"[airflow]\nport = 70000\n",
            "{file}:2: airflow.port must be a whole number from 1 to 65535",
            "Correct the",
        ),
        (b"[stack]\nengine = 'quick'\n", "{file}:2: stack.engine must be", "Correct the value"),
    ],
    ids=lambda value: (
        value.decode(errors="replace").strip().replace("\n", "; ") if isinstance(value, bytes) else ""
    ),
)
def test_a_wrong_file_is_refused_with_its_line(idle, text, sentence, move):
    idle.project.toml.write_bytes(text)
    said = refusal(idle.run("up"))
    assert said.sentence.startswith(sentence.format(file=idle.project.toml))
    assert said.move.startswith(move)
    assert idle.project.toml.read_bytes() == text
    assert not idle.project.state.exists()
    assert_nothing_started(idle)


def test_a_folder_in_place_of_the_file(idle):
    idle.project.toml.unlink()
    idle.project.toml.mkdir()
    try:
        said = refusal(idle.run("up"))
    finally:
        idle.project.toml.rmdir()
    assert said.sentence == f"{idle.project.toml} is a folder, not a file."
    assert said.move == "Move it away and write the file; it may be empty."
    assert_nothing_started(idle)


def test_an_unknown_variable(idle):
    idle.project.toml.write_text("")
    said = refusal(idle.run("up", environment={**idle.environment, "AIRFOIL_MLFLOW_PROT": "1"}))
    assert said.sentence == "The environment variable AIRFOIL_MLFLOW_PROT sets no known setting."
    assert said.move.startswith("Did you mean AIRFOIL_MLFLOW_PORT?")
    assert_nothing_started(idle)


def test_a_folder_that_is_no_project(tmp_path, idle):
    said = refusal(idle.run("up", inside=tmp_path))
    assert said.sentence.startswith(f"{tmp_path} is not in an Airfoil project:")
    assert "`airfoil init DIR`" in said.move
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_no_database_address_can_hold(tmp_path, idle):
    said = refusal(idle.run("init", "was?", inside=tmp_path))
    assert "was?" in said.sentence
    assert said.move == "Rename that folder, or choose another one."
    root = tmp_path / "what?"
    root.mkdir()
    (root / "airfoil.toml").touch()
    said = refusal(idle.run("up", inside=root))
    assert str(root) in said.sentence
    assert files(tmp_path) == {"what?/airfoil.toml": files(root)["airfoil.toml"]}


def test_a_running_platform_does_not_care(platform):
    before, text = platform.pids(), platform.project.toml.read_bytes()
    platform.project.toml.write_bytes(b"[airflow\n")
    try:
        for command in ("up", "demo"):
            assert refusal(platform.run(command)).move == "Correct line 1 of the file."
        assert platform.pids() == before
        assert platform.run("status").code == 0
        doctor = platform.run("doctor")
        assert doctor.code == 1
        assert f"{platform.project.toml}:1 is not valid TOML" in doctor.out
    finally:
        platform.project.toml.write_bytes(text)

"""install.sh, verify.sh and sbom.sh where Docker only pretends: what they read, and what they say of each fault."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import airfoil
from airfoil.settings import load
from airfoil.stack.deploy import compose, env_file
from airfoil.stack.project import Project

pytestmark = pytest.mark.deploy

OURS = str(Path(sys.executable).with_name("airfoil"))
DOCKER = """#!/bin/sh
case "$*" in
  "info") exit ${DOCKER_INFO:-0} ;;
  "info --format"*) echo / ;;
  "version"*) echo 26.1 ;;
  "compose version"*) echo ${COMPOSE_VERSION:-2.26.1} ;;
  "compose build --quiet") sed -n 's/^AIRFOIL_TAG=/built as /p' .env >> deeds ;;
  "compose config --images") ;;
  "compose up"*) sed -n 's/^AIRFOIL_TAG=/started as /p' .env >> deeds; echo "no server here" >&2; exit 1 ;;
  "compose logs"*) ;;
  "build "*) echo "docker $*" >> deeds ;;
  "run --rm --user "*" airfoil deploy compose "*)
    echo "docker $*" >> deeds; sed -i "s/^AIRFOIL_TAG=.*/AIRFOIL_TAG=$IMAGE_RELEASE/" .env ;;
  "compose config --quiet") if [ -n "${COMPOSE_FAULT:-}" ]; then echo "$COMPOSE_FAULT" >&2; exit 1; fi ;;
  "compose ps"*) if [ -n "${CONTAINERS:-}" ]; then echo "$CONTAINERS" | tr , '\\n'; fi ;;
  "compose config --services") ;;
  "inspect"*) for last; do :; done; echo "$last" | tr _ ' ' ;;
  "image inspect"*) exit ${NO_IMAGE:-0} ;;
  "run --rm --network none --entrypoint python "*)
    printf '{"components": [\n{"purl": "pkg:pypi/a@1"},\n{"purl": "pkg:pypi/b@2"}\n]}'; exit ${OLD_IMAGE:-0} ;;
  *) echo "not expected: $*" >&2; exit 99 ;;
esac
"""
CURL = """#!/bin/sh
for address; do :; done
case "$address" in
  */auth/token) printf '{"access_token": "t"}\\n200' ;;
  */execution/health) printf '\\n%s' "$EXECUTION" ;;
  *) printf '\\n200' ;;
esac
"""


@pytest.fixture
def machine(tmp_path):
    """A project with its server's files, and a docker that only pretends."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on this machine")
    (tmp_path / "bin").mkdir()
    docker = tmp_path / "bin" / "docker"
    docker.write_text(DOCKER, encoding="utf-8")
    docker.chmod(0o755)
    root = tmp_path / "shop"
    root.mkdir()
    (root / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    return written_server(root, "deploy/compose")


def written_server(root, inside, **shell):
    """Write the server's files as a person does whose shell says this."""
    folder = root / inside
    compose.write(compose.rendered(Project(root), load(root, shell), folder, shell), folder)
    set_value(folder, "HTTP_PORT", "127.0.0.1:1")
    set_value(folder, "HTTPS_PORT", "127.0.0.1:2")
    return folder


def set_value(folder, name, value):
    path = folder / ".env"
    lines = path.read_text(encoding="utf-8").splitlines()
    changed = [f"{name}={value}" if line.startswith(f"{name}=") else line for line in lines]
    path.write_text("\n".join(changed) + "\n", encoding="utf-8")


def run(folder, *argv, **environment):
    own = {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE", "AIRFOIL"))}
    docker = next(one / "bin" for one in folder.parents if (one / "bin" / "docker").exists())
    environ = own | {"PATH": f"{docker}:{os.environ['PATH']}"} | environment
    return subprocess.run(argv, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def deeds(folder):
    path = folder / "deeds"
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def as_checkout(folder, release):
    """Let the project be a checkout of Airfoil, as after `git pull`."""
    root = next(one for one in folder.parents if (one / "airfoil.toml").exists())
    source = root / "src" / "airfoil" / "__init__.py"
    source.parent.mkdir(parents=True)
    source.write_text(f'__version__ = "{release}"\n', encoding="utf-8")


def ask(folder, words, **environment):
    return run(folder, "sh", "-c", f". ./steps.sh; {words}", **environment).stdout.strip()


def test_a_machine_on_which_nothing_stands_in_the_way(machine):
    done = run(machine, "sh", "install.sh", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing stands in the way." in done.stdout
    assert "FAILED" not in done.stdout


@pytest.mark.parametrize(
    ("environment", "why", "move"),
    [
        ({"DOCKER_INFO": "1"}, "The Docker engine does not answer.", "systemctl start docker"),
        ({"COMPOSE_VERSION": "2.17.2"}, "Compose 2.17.2 is too old.", "2.23"),
        ({"COMPOSE_FAULT": "services.x is wrong"}, "services.x is wrong", "anew: `airfoil deploy compose`"),
    ],
)
def test_what_stands_in_the_way_is_named_with_the_next_move(machine, environment, why, move):
    done = run(machine, "sh", "install.sh", "--check", **environment)
    assert done.returncode == 1
    assert why in done.stderr
    assert move in done.stderr


def test_secrets_that_others_can_read_are_named_and_not_touched(machine):
    (machine / ".env").chmod(0o644)
    done = run(machine, "sh", "install.sh", "--check")
    assert done.returncode == 1
    assert "chmod 600 .env" in done.stderr
    assert (machine / ".env").stat().st_mode & 0o777 == 0o644


def test_a_missing_file_is_named(machine):
    (machine / "Caddyfile").unlink()
    done = run(machine, "sh", "install.sh", "--check")
    assert (done.returncode, "Caddyfile is missing." in done.stderr) == (1, True)


def test_before_the_first_rendering_a_check_says_what_to_do(machine):
    (machine / ".env").unlink()
    done = run(machine, "sh", "install.sh", "--check")
    assert done.returncode == 1
    assert "airfoil deploy compose" in done.stderr
    assert not (machine / ".env").exists()


def test_another_release_is_built_and_started_as_itself_so_that_its_databases_are_dumped(machine):
    secret = ask(machine, "value_of FERNET_KEY")
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert "no server here" in done.stderr, done.stdout + done.stderr
    assert deeds(machine) == [f"built as {airfoil.__version__}", f"started as {airfoil.__version__}"]
    assert f".env was written by Airfoil 0.0.9, and this is {airfoil.__version__}" in done.stdout
    assert ask(machine, "value_of FERNET_KEY") == secret
    assert ask(machine, "value_of HTTPS_PORT") == "127.0.0.1:2"


def test_another_start_of_the_same_release_keeps_what_the_shell_of_the_rendering_said(machine):
    written_server(machine.parents[1], "deploy/compose", AIRFOIL_ALERTS_WEBHOOK="https://chat.example.com/1")
    before = {path: path.read_bytes() for path in machine.rglob("*") if path.is_file()}
    assert b"chat.example.com" in before[machine / "setup.json"]
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert deeds(machine)[-1] == f"started as {airfoil.__version__}", done.stdout + done.stderr
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("name", ["setup.json", "compose.override.yaml"])
def test_a_file_that_is_not_there_is_written(machine, name):
    (machine / name).unlink()
    refused = run(machine, "sh", "install.sh", "--check", AIRFOIL=OURS)
    assert (refused.returncode, f"Not written yet: {name}." in refused.stderr) == (1, True)
    run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert (machine / name).is_file()


@pytest.mark.parametrize(("shell", "note"), [({}, True), ({"AIRFOIL_ALERTS_WEBHOOK": "https://c/1"}, False)])
def test_another_release_in_a_shell_without_the_passwords_of_alerts_is_told(machine, shell, note):
    written_server(machine.parents[1], "deploy/compose", AIRFOIL_ALERTS_WEBHOOK="https://c/1")
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS, **shell)
    assert ("alerts take another way than before" in done.stdout) == note, done.stdout + done.stderr


def test_the_image_is_given_settings_of_the_shell_and_an_authority_outside_the_project(machine, tmp_path):
    authority = tmp_path / "pki" / "ca.pem"
    authority.parent.mkdir()
    authority.touch()
    as_checkout(machine, "9.9.9")
    set_value(machine, "LOGIN_CA_FILE", str(authority))
    shell = {"AIRFOIL_ALERTS_WEBHOOK": "https://chat.example.com/secret"}
    done = run(machine, "sh", "install.sh", IMAGE_RELEASE="9.9.9", **shell)
    rendered = deeds(machine)[1]
    assert "--env AIRFOIL_ALERTS_WEBHOOK " in rendered, done.stderr
    assert "secret" not in rendered
    assert f"--volume {authority}:{authority}:ro " in rendered


@pytest.mark.parametrize("named", ["", "/nowhere/ca.pem"])
def test_an_authority_that_is_not_there_is_not_mounted(machine, named):
    # Docker would make a folder of that name.
    as_checkout(machine, "9.9.9")
    set_value(machine, "LOGIN_CA_FILE", named)
    run(machine, "sh", "install.sh", IMAGE_RELEASE="9.9.9")
    assert deeds(machine)[1].count("--volume") == 1


def test_a_server_right_below_its_project_is_written_and_built_out_of_it(machine):
    root = machine.parents[1]
    folder = written_server(root, "server")
    set_value(folder, "AIRFOIL_TAG", "0.0.9")
    done = run(folder, "sh", "install.sh", AIRFOIL=OURS)
    assert deeds(folder)[-1] == f"started as {airfoil.__version__}", done.stdout + done.stderr
    as_checkout(folder, "9.9.9")
    (folder / "deeds").unlink()
    run(folder, "sh", "install.sh", IMAGE_RELEASE="9.9.9")
    built, rendered, *_ = deeds(folder)
    assert built.endswith(f" {root}")
    assert f"--volume {root}:{root} --workdir {root} " in rendered
    assert rendered.endswith(f"airfoil deploy compose {folder}")


def test_a_folder_without_a_project_is_named(machine):
    (machine.parents[1] / "airfoil.toml").unlink()
    (machine / "setup.json").unlink()
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert (done.returncode, "There is no airfoil.toml" in done.stderr) == (1, True)


def test_without_an_airfoil_of_this_release_that_of_its_image_writes_the_files(machine):
    as_checkout(machine, "9.9.9")
    set_value(machine, "PYTHON_IMAGE", "registry.example.com/python:3.12")
    done = run(machine, "sh", "install.sh", IMAGE_RELEASE="9.9.9")
    built, rendered, *rest = deeds(machine)
    assert "--target airflow" in built, done.stderr
    assert "--build-arg PYTHON_IMAGE=registry.example.com/python:3.12" in built
    assert rendered.endswith(f"airfoil/airflow:first airfoil deploy compose {machine}")
    assert rest == ["built as 9.9.9", "started as 9.9.9"]


def test_without_a_checkout_the_image_is_of_the_version_that_wrote_the_files(machine):
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    script = ". ./steps.sh; find_root; airfoil= release=; render"
    done = run(machine, "sh", "-c", script, IMAGE_RELEASE="0.0.9")
    assert done.returncode == 0, done.stderr
    assert "--build-arg AIRFOIL_REQUIREMENT=airfoil==0.0.9" in deeds(machine)[0]


def test_images_that_are_there_write_the_files_too(machine):
    as_checkout(machine, "9.9.9")
    done = run(machine, "sh", "install.sh", "--no-build", IMAGE_RELEASE="9.9.9")
    assert "airfoil/airflow:9.9.9 airfoil deploy compose" in deeds(machine)[0], done.stderr
    assert deeds(machine)[1:] == ["started as 9.9.9"]
    (machine / "setup.json").unlink()
    done = run(machine, "sh", "install.sh", "--no-build", NO_IMAGE="1")
    assert (done.returncode, "nor the image airfoil/airflow:9.9.9" in done.stderr) == (1, True)


def test_an_airfoil_of_another_release_than_the_checkout_is_refused(machine):
    as_checkout(machine, "9.9.9")
    done = run(machine, "sh", "install.sh", AIRFOIL=OURS)
    assert done.returncode == 1
    assert f"is Airfoil {airfoil.__version__}, and this is a checkout of 9.9.9" in done.stderr
    assert deeds(machine) == []


@pytest.mark.parametrize(("checkout", "release"), [("9.9.9", "9.9.9"), ("", airfoil.__version__)])
def test_a_check_says_that_the_release_is_another_and_changes_nothing(machine, checkout, release):
    if checkout:
        as_checkout(machine, checkout)
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    before = {path: path.stat().st_mtime_ns for path in machine.rglob("*")}
    done = run(machine, "sh", "install.sh", "--check", **({} if checkout else {"AIRFOIL": OURS}))
    assert done.returncode == 0, done.stderr
    assert f".env was written by Airfoil 0.0.9, and this is {release}" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in machine.rglob("*")} == before


def test_a_check_names_another_release_also_where_its_variables_are_still_missing(machine):
    set_value(machine, "AIRFOIL_TAG", "0.0.9")
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        set_value(machine, "HTTPS_PORT", f"127.0.0.1:{proxy.getsockname()[1]}")
        fault = {"COMPOSE_FAULT": "required variable NEW is missing a value"}
        done = run(machine, "sh", "install.sh", "--check", AIRFOIL=OURS, **fault)
    assert done.returncode == 0, done.stderr
    assert f".env was written by Airfoil 0.0.9, and this is {airfoil.__version__}" in done.stdout
    assert "NEW is missing a value. What .env lacks, `sh install.sh` adds." in done.stdout
    assert "Correct .env" not in done.stdout + done.stderr


def test_dags_that_the_containers_cannot_read_are_named(machine):
    set_value(machine, "AIRFLOW_UID", "54321")
    dag = machine.parents[1] / "dags" / "mine.py"
    dag.write_text("", encoding="utf-8")
    dag.chmod(0o600)
    done = run(machine, "sh", "install.sh", "--check")
    assert done.returncode == 1
    assert "mine.py" in done.stderr
    assert "chmod -R o+rX" in done.stderr


def test_a_port_that_somebody_has_is_named_unless_it_is_our_own_proxy(machine):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        set_value(machine, "HTTPS_PORT", f"127.0.0.1:{port}")
        taken = run(machine, "sh", "install.sh", "--check")
        ours = run(machine, "sh", "install.sh", "--check", CONTAINERS="c1")
    assert taken.returncode == 1
    assert f"Port {port} is taken" in taken.stderr
    assert "HTTPS_PORT" in taken.stderr
    assert ours.returncode == 0, ours.stderr


@pytest.mark.parametrize("script", ["install.sh", "verify.sh", "sbom.sh"])
def test_an_unknown_option_is_wrong_usage(machine, script):
    done = run(machine, "sh", script, "--quick")
    assert (done.returncode, "--quick is no option" in done.stderr) == (2, True)


@pytest.mark.parametrize("script", ["install.sh", "verify.sh", "sbom.sh"])
def test_help_tells_the_options(machine, script):
    done = run(machine, "sh", script, "--help")
    assert done.returncode == 0
    assert "sh " + script in done.stdout


@pytest.mark.parametrize(
    "value", ["plain", "a b", "it's", "a$b", 'a "b"', "a$$b", "a\\b", "ends \\", 'it\'s "$$" \\"']
)
def test_values_are_read_from_the_file_as_they_are_meant(machine, value):
    set_value(machine, "ALERT_MAIL_FROM", env_file.written(value))
    assert ask(machine, "value_of ALERT_MAIL_FROM") == value


@pytest.mark.parametrize(
    ("containers", "state"),
    [
        ("", "absent"),
        ("healthy", "healthy"),
        ("healthy,starting", "starting"),
        ("healthy,exited_1,starting", "exited 1"),
        ("healthy,running", "running"),
    ],
)
def test_a_service_is_as_well_as_its_worst_container(machine, containers, state):
    assert ask(machine, "state_of airflow-worker", CONTAINERS=containers) == state


def test_waiting_ends_with_the_last_words_of_what_is_not_well(machine):
    done = run(machine, "sh", "-c", ". ./steps.sh; wait_for mlflow", CONTAINERS="starting", WAIT_SECONDS="0")
    assert done.returncode == 1
    assert "mlflow is starting after 0 s." in done.stderr


def test_what_each_image_consists_of_is_written_and_counted(machine):
    done = run(machine, "sh", "sbom.sh", "bills")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (machine / "bills").iterdir()} == {
        f"{image}.cdx.json" for image in ("airflow", "mlflow", "features", "status")
    }
    assert len(json.loads((machine / "bills" / "status.cdx.json").read_text())["components"]) == 2
    assert done.stdout.count("2 parts") == 4


@pytest.mark.parametrize(
    ("environment", "why"),
    [({"NO_IMAGE": "1"}, "no such image"), ({"OLD_IMAGE": "1"}, "could not be asked")],
)
def test_an_image_that_cannot_be_asked_takes_no_older_list_with_it(machine, environment, why):
    older = machine / "sbom" / "airflow.cdx.json"
    older.parent.mkdir()
    older.write_text("older")
    done = run(machine, "sh", "sbom.sh", **environment)
    assert done.returncode == 1
    assert why in done.stderr
    assert "build" in done.stderr
    assert older.read_text() == "older"


@pytest.mark.parametrize(
    ("workers_outside", "answered", "how"),
    [("false", "404", "ok"), ("false", "200", "FAILED"), ("true", "200", "ok"), ("true", "404", "FAILED")],
)
def test_the_execution_api_is_open_to_the_outside_where_workers_are_there_and_nowhere_else(
    machine, workers_outside, answered, how
):
    curl = machine.parents[2] / "bin" / "curl"
    curl.write_text(CURL, encoding="utf-8")
    curl.chmod(0o755)
    set_value(machine, "EDGE_WORKERS", workers_outside)
    done = run(machine, "sh", "verify.sh", "--pages", EXECUTION=answered)
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("Execution API from outside")]
    assert row.split()[4] == how, done.stdout

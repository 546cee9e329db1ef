"""install.sh where Docker only pretends: what stands in the way is named, and a check changes nothing."""

from __future__ import annotations

import shutil
import socket

import pytest
import yaml
from tests.deploy.pretended_machine import OURS, as_checkout, run, set_value, written_server

import airfoil

pytestmark = pytest.mark.deploy


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
        ({"PROCESSORS": "1"}, "Docker has 1 processor here", "Give this machine 2 processors."),
        ({"AIRFOIL": "/nowhere/airfoil"}, "AIRFOIL=/nowhere/airfoil cannot be run", "whole path"),
        ({"AIRFOIL": "/bin/false"}, "AIRFOIL=/bin/false cannot be run", "whole path"),
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


def test_a_server_without_a_worker_is_refused_before_it_is_waited_for(machine):
    set_value(machine, "WORKERS", "0")
    done = run(machine, "sh", "install.sh", "--check")
    assert done.returncode == 1
    assert "WORKERS=0 in .env" in done.stderr
    assert "WORKERS=1" in done.stderr


def test_no_service_may_have_more_processors_than_the_check_asks_for(machine):
    services = yaml.safe_load((machine / "compose.yaml").read_text(encoding="utf-8"))["services"]
    most = max(one.get("cpus", 0) for one in services.values())
    assert f"LEAST_PROCESSORS={most} " in (machine / "install.sh").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "unset", "is_cut"),
    [
        ("correct$horse-battery", "horse", True),
        ('"x${horse}y"', "D horse", True),
        ("correct$$horse-battery", "other", False),
        ("'correct$horse-battery'", "horse", False),
    ],
)
def test_a_value_that_compose_cuts_is_named_and_not_shown(machine, value, unset, is_cut):
    set_value(machine, "BACKUP_PASSPHRASE", value)
    done = run(machine, "sh", "install.sh", "--check", UNSET=unset)
    assert (done.returncode == 1) == is_cut, done.stdout + done.stderr
    assert ("a $ in the value of BACKUP_PASSPHRASE in .env" in done.stderr) == is_cut
    assert "horse" not in done.stdout + done.stderr


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


def test_folders_that_airfoil_toml_calls_otherwise_are_the_ones_that_are_looked_at(machine, tmp_path):
    root = machine.parents[1]
    outside = tmp_path / "our plug-ins"
    with (root / "airfoil.toml").open("a", encoding="utf-8") as settings:
        settings.write(f'[airflow]\ndags = "the dags"\nplugins = "{outside}"\n')
    written_server(root, "deploy/compose")
    set_value(machine, "AIRFLOW_UID", "54321")
    shutil.rmtree(root / "dags")
    assert run(machine, "sh", "install.sh", "--check").returncode == 0
    for folder in (root / "the dags", outside):
        (folder / "mine.py").touch(mode=0o600)
        done = run(machine, "sh", "install.sh", "--check")
        assert f"{folder.name}/mine.py" in done.stderr, done.stdout
        mend = done.stderr[done.stderr.index("`chmod") :].split("`")[1]
        assert run(machine, "sh", "-c", mend).returncode == 0
    assert run(machine, "sh", "install.sh", "--check").returncode == 0
    assert not (root / "dags").exists()


@pytest.mark.parametrize(("place", "mode"), [("prometheus.sh", 0o750), ("rules", 0o750), ("", 0o700)])
def test_files_of_the_monitoring_that_its_programs_cannot_read_are_named(machine, place, mode):
    # They have users of their own, to whom the owner's right, also ours as AIRFLOW_UID, is of no use.
    (machine.parent / "monitoring" / place).chmod(mode)
    done = run(machine, "sh", "install.sh", "--check")
    assert done.returncode == 1, done.stdout
    assert f"may not read: ../monitoring{place and '/'}{place}" in done.stderr
    mend = done.stderr[done.stderr.index("`chmod") :].split("`")[1]
    assert run(machine, "sh", "-c", mend).returncode == 0
    assert run(machine, "sh", "install.sh", "--check").returncode == 0


def test_files_of_a_monitoring_that_does_not_run_may_be_anybody_s(machine):
    (machine.parent / "monitoring" / "prometheus.sh").chmod(0o700)
    set_value(machine, "COMPOSE_PROFILES", "postgres,redis,s3,mlflow")
    assert run(machine, "sh", "install.sh", "--check").returncode == 0


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

"""A backup into a Compose server: the command, who must not run, and whose keys .env has afterwards."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
from tests.backup_shop import PASSPHRASE, make_shop

from airfoil.errors import ConfigurationError, NeighbourError, SecretsError
from airfoil.settings import load
from airfoil.stack import secrets
from airfoil.stack.backup import catalogue, sealing
from airfoil.stack.backup.creation import Creation
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.deploy.restoring import PASSPHRASE as VARIABLE
from airfoil.stack.deploy.restoring import RESTORING, SEALED_FILE, ComposeRestoration, run
from airfoil.stack.target import ComposeTarget

pytestmark = pytest.mark.unit

ENV = (
    "# ours\nFERNET_KEY=theirs-of-before\nMLFLOW_WEBHOOK_KEY=old\nMLFLOW_ADMIN_PASSWORD=old\nHTTPS_PORT=443\n"
)


class Docker:
    """Docker Compose, which says which containers are in the states that were asked for, and how the job ended."""

    def __init__(self):
        self.commands = []
        self.states = {"postgres": "running", "redis": "running", "airflow-init": "exited"}
        self.code = 0

    def __call__(self, command, environment, *, shown):
        self.commands.append((command, environment, shown))
        if "ps" not in command:
            return self.code, ""
        asked = {after for word, after in pairwise(command) if word == "--status"}
        return 0, "".join(f"{name}\n" for name, state in self.states.items() if state in asked)


@pytest.fixture
def docker():
    return Docker()


@pytest.fixture
def made(tmp_path, docker, monkeypatch):
    """How a restoration of a shop's backup is made; sealing is cheap."""
    monkeypatch.setattr(sealing.Cost.__init__, "__defaults__", (2**4, 8, 1))
    project = make_shop(tmp_path / "shop")
    project.prepare()
    keys = secrets.ensure(project)
    place = FolderPlace(tmp_path / "place")
    Creation(project, load(project.root, {}), place, PASSPHRASE).run()
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / ".env").write_text(ENV, encoding="utf-8")

    def make(passphrase=PASSPHRASE, **options):
        manifest = catalogue.named(place, "latest")
        found = ComposeRestoration(
            ComposeTarget(folder),
            manifest,
            Objects(place),
            passphrase,
            tmp_path / "place",
            run=docker,
            **options,
        )
        return found, keys, folder / ".env"

    return make


def test_the_job_is_started_and_the_keys_come_after_it(made, docker, tmp_path):
    restoration, keys, env = made(overwrite=True)
    changed = restoration.carry_out()
    (_, _, shown_list), (command, environment, shown), _ = docker.commands
    assert (shown_list, shown) == (False, True)
    words = " ".join(command)
    assert f"--volume {tmp_path / 'place'}:/airfoil/place:ro" in words
    assert (
        f"backup restore {restoration.manifest.name} --from /airfoil/place --without-files --overwrite"
        in words
    )
    assert environment == {VARIABLE: PASSPHRASE, RESTORING: "begun"}
    assert PASSPHRASE not in words
    text = env.read_text(encoding="utf-8")
    assert f"FERNET_KEY={keys.fernet_key}\n" in text
    assert f"MLFLOW_WEBHOOK_KEY={keys.webhook_key}\n" in text
    assert "# ours" in text
    assert {"FERNET_KEY", "MLFLOW_WEBHOOK_KEY"} <= set(changed)
    assert env.stat().st_mode & 0o077 == 0
    assert env.with_name(".env.before-restore").read_text(encoding="utf-8") == ENV


def test_root_takes_the_file_from_nobody(made):
    if os.geteuid():
        pytest.skip("only root can give a file away")
    restoration, _, env = made(overwrite=True)
    os.chown(env, 4321, 4322)
    restoration.carry_out()
    assert (env.stat().st_uid, env.stat().st_gid) == (4321, 4322)


def test_databases_of_a_newer_release_are_this_ones_when_they_have_been_overwritten(made, docker):
    made(overwrite=True)[0].carry_out()
    command, environment, _ = docker.commands[-1]
    assert command[-4:] == ["run", "--rm", "--no-deps", "postgres-init"]
    assert environment == {RESTORING: "done"}


def test_an_older_release_is_let_through_by_overwriting_alone(made, docker):
    made()[0].carry_out()
    assert [RESTORING in environment for _, environment, _ in docker.commands] == [False, False]


def test_a_restore_that_failed_leaves_databases_to_the_release_they_are_of(made, docker):
    docker.code = 1
    with pytest.raises(NeighbourError):
        made(overwrite=True)[0].carry_out()
    assert not [one for one in docker.commands if one[1].get(RESTORING) == "done"]


def test_the_administrators_password_comes_with_the_logins_alone(made, monkeypatch):
    restoration, keys, env = made()
    has_logins = restoration.manifest.database("mlflow_auth") is not None
    restoration.carry_out()
    wanted = keys.mlflow_admin_password if has_logins else "old"
    assert f"MLFLOW_ADMIN_PASSWORD={wanted}\n" in env.read_text(encoding="utf-8")


def test_the_login_of_a_server_comes_when_its_people_do(made):
    restoration, _, env = made()
    restoration.carry_out()
    assert "_AIRFLOW_WWW_USER" not in env.read_text(encoding="utf-8"), "a laptop has none"
    (copy,) = [one for one in restoration.manifest.databases if one.part == "airflow"]
    people = copy.model_copy(update={"tables": {**copy.tables, "ab_user": copy.tables["dag_run"]}})
    others = tuple(one for one in restoration.manifest.databases if one.part != "airflow")
    manifest = restoration.manifest.model_copy(update={"databases": (people, *others)})
    files = {
        SEALED_FILE: json.dumps({"server_admin_username": "anne", "server_admin_password": "hers"}).encode()
    }
    found = replace(restoration, manifest=manifest)._keys(files)
    assert found == {"_AIRFLOW_WWW_USER_USERNAME": "anne", "_AIRFLOW_WWW_USER_PASSWORD": "hers"}


def test_a_server_that_runs_is_left_alone(made, docker):
    restoration, _, env = made()
    docker.states |= {"mlflow": "running", "airflow-scheduler": "running"}
    with pytest.raises(NeighbourError, match=r"The server runs \(airflow-scheduler, mlflow\)"):
        restoration.carry_out()
    assert len(docker.commands) == 1
    assert env.read_text(encoding="utf-8") == ENV


@pytest.mark.parametrize("state", ["restarting", "paused"])
def test_nor_is_one_replaced_whose_parts_only_wait(made, docker, state):
    """A part that crashes runs for a moment and waits for a minute; it would work on half of a restore."""
    restoration, _, env = made(overwrite=True)
    docker.states |= {"airflow-worker": state}
    with pytest.raises(NeighbourError, match=r"The server runs \(airflow-worker\)") as told:
        restoration.carry_out()
    assert "docker compose stop" in told.value.next_move
    assert len(docker.commands) == 1
    assert env.read_text(encoding="utf-8") == ENV


def test_a_restore_that_failed_changes_no_key(made, docker):
    restoration, _, env = made()
    docker.code = 1
    with pytest.raises(NeighbourError, match="The restore inside the server failed"):
        restoration.carry_out()
    assert env.read_text(encoding="utf-8") == ENV


def test_a_wrong_passphrase_starts_nothing(made, docker):
    restoration, _, _ = made(passphrase="words that are others")
    with pytest.raises((SecretsError, Exception), match="passphrase"):
        restoration.carry_out()
    assert docker.commands == []


def test_what_the_job_says_does_not_stand_beside_the_answer(capfd):
    assert run([sys.executable, "-c", "print('restored')"], {}, shown=True) == (0, "")
    assert capfd.readouterr() == ("", "restored\n")
    assert run([sys.executable, "-c", "print('postgres')"], {}, shown=False) == (0, "postgres\n")


def test_a_machine_without_docker_is_told():
    with pytest.raises(ConfigurationError, match="Docker is not installed"):
        run(["no-such-program-here"], {}, shown=True)

"""`airfoil backup`: from the command line to a place and back."""

from __future__ import annotations

import pytest
from tests.backup_shop import PASSPHRASE, make_shop, objects_of, rows_of, spoil

from airfoil.cli import backup
from airfoil.stack.backup import catalogue, sealing, verification
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """A project that is the current folder; sealing is cheap, and models predict."""
    project = make_shop(tmp_path / "shop")
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("AIRFOIL_BACKUP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(sealing.Cost.__init__, "__defaults__", (2**4, 8, 1))
    monkeypatch.setattr(verification.Verification.__init__, "__defaults__", _quick_trial())
    return project


def _quick_trial():
    given = verification.Verification.__init__.__defaults__
    return (lambda _: {"rows": 1, "predictions": [1]}, *given[1:])


def test_there_and_back(airfoil, shop, tmp_path):
    done = airfoil("backup", "create", "--json")
    assert done.code == 0, done.err
    name = done.json()["backup"]["name"]
    assert (shop.root / "backups/.gitignore").exists()
    done = airfoil("backup", "create")
    assert "It lies on the same disk" in done.err
    listed = airfoil("backup", "list", "--json").json()["backups"]
    assert listed[0]["name"] == name
    assert listed[0]["counts"]["dag runs"] == 3
    assert name in airfoil("backup", "list").out
    done = airfoil("backup", "verify", name)
    assert done.code == 0, done.err
    assert f"Backup {name} is whole" in done.out
    done = airfoil("backup", "restore", name, "--into", str(tmp_path / "new"))
    assert done.code == 0, done.err
    assert rows_of(Project(tmp_path / "new").airflow_database, "select count(*) from dag_run") == [(3,)]


def test_with_a_server_as_target_nothing_of_this_machine_is_taken_for_its_backup(
    airfoil, shop, server_as_target
):
    assert airfoil("backup", "create").code == 0
    server_as_target(shop)
    done = airfoil("backup", "create")
    assert done.code == 1
    assert "airfoil.runtime.container.maintenance backup create`" in done.err
    assert len(airfoil("backup", "list", "--json").json()["backups"]) == 1
    assert airfoil("backup", "verify").code == 0, "it is what goes into a server"


def test_outside_of_a_project_everything_is_named(airfoil, shop, tmp_path, monkeypatch):
    place = tmp_path / "place"
    assert airfoil("backup", "create", "--to", str(place)).code == 0
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert airfoil("backup", "list", "--from", str(place), "--json").json()["backups"]
    assert airfoil("backup", "verify", "--from", str(place), "--json").json()["passed"]
    done = airfoil("backup", "restore", "--from", str(place), "--into", "new", "--json")
    assert done.json()["files"] == 3
    assert airfoil("backup", "list").code == 1, "without a project there is no default"


def test_damage_is_an_exit_code_and_a_name(airfoil, shop):
    airfoil("backup", "create")
    place = FolderPlace(shop.root / "backups")
    spoil(objects_of(catalogue.named(place, "latest"), place)["mlflow"])
    done = airfoil("backup", "verify")
    assert done.code == 1
    assert "The backup is damaged: mlflow" in done.err
    assert "✗ mlflow" in done.out
    done = airfoil("backup", "verify", "--json")
    assert (done.code, done.json()["passed"]) == (1, False)


def test_a_project_with_something_in_it_is_not_overwritten_unless_told(airfoil, shop):
    airfoil("backup", "create")
    done = airfoil("backup", "restore")
    assert done.code == 1
    assert "--overwrite" in done.err
    assert airfoil("backup", "restore", "--overwrite").code == 0


def test_older_ones_go_by_what_is_asked_for(airfoil, shop):
    names = [
        airfoil(
            "backup", "create", "--keep", "1", "--keep-daily", "0", "--keep-weekly", "0", "--json"
        ).json()["backup"]["name"]
        for _ in range(2)
    ]
    assert [row["name"] for row in airfoil("backup", "list", "--json").json()["backups"]] == names[1:]


def test_an_empty_place_says_how_to_begin(airfoil, shop):
    assert "Make one: airfoil backup create" in airfoil("backup", "list").out
    assert "There is no backup" in airfoil("backup", "verify").err


def test_help_teaches(airfoil):
    for command, words in {
        "create": "the platform may run meanwhile",
        "verify": "Exit code: 0 whole, 1 damaged",
        "restore": "moved aside",
        "list": "the newest last",
    }.items():
        text = " ".join(airfoil("backup", command, "--help").out.split())
        assert words in text, command


def test_backups_in_s3_are_opened_by_keys_of_their_own_and_artifacts_by_the_usual(monkeypatch):
    pytest.importorskip("boto3")
    for name in ("AWS", "BACKUP_S3"):
        monkeypatch.setenv(f"{name}_ACCESS_KEY_ID", name)
        monkeypatch.setenv(f"{name}_SECRET_ACCESS_KEY", name)
    opened = (backup._place("s3://backups/shop", None), backup._bucket("s3://mlflow"))
    assert [one._client._request_signer._credentials.access_key for one in opened] == ["BACKUP_S3", "AWS"]

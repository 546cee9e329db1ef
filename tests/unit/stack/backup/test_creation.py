"""Making a backup: everything in it, no secret in clear, whole or none."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from tests.backup_shop import CHEAP, PASSPHRASE, back_up, rows_of

from airfoil.errors import ConfigurationError, NeighbourError, SecretsError, StorageError
from airfoil.settings import load
from airfoil.stack import secrets
from airfoil.stack.backup import catalogue, creation, trees
from airfoil.stack.backup.objects import Objects
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit


def test_everything_is_in_it(shop, place):
    made = back_up(shop, place)
    assert [one.part for one in made.databases] == ["airflow", "mlflow", "feast_registry", "feast_online"]
    assert {one.part: one.files for one in made.trees} == {"artifacts": 3, "project": 3}
    assert made.counts["dag runs"] == 3
    assert made.counts["ledger entries"] == 2
    assert dict(made.versions) == {"airfoil": "0.0.1", "airflow": "3.0.0", "mlflow": "3.0.0"}
    assert made.project == "shop"
    assert catalogue.named(place, "latest") == made
    assert made.written_bytes == sum(item.bytes for item in place.items("objects/"))
    assert [path.name for path in shop.state.glob(".backup-*")] == []


def test_secrets_are_nowhere_in_clear_and_come_back_with_the_passphrase(shop, place):
    made = back_up(shop, place)
    keys = secrets.load(shop)
    everything = b"".join(path.read_bytes() for path in place.root.rglob("*") if path.is_file())
    for name in ("fernet_key", "admin_password", "jwt_secret", "webhook_key", "mlflow_admin_password"):
        assert getattr(keys, name).encode() not in everything
    assert PASSPHRASE.encode() not in everything
    files = creation.unsealed(made, Objects(place), PASSPHRASE)
    assert files[".airfoil/secrets.json"] == shop.secrets.read_bytes()
    assert files["airfoil.toml"] == shop.toml.read_bytes()
    with pytest.raises(SecretsError):
        creation.unsealed(made, Objects(place), "some other passphrase")


def test_rows_that_were_just_written_are_in_it(shop, place, tmp_path):
    with closing(sqlite3.connect(shop.mlflow_database, isolation_level=None)) as live:
        live.execute("insert into runs values ('new', 1, '')")
        made = back_up(shop, place)
    Objects(place).fetch(made.database("mlflow").stored, tmp_path / "mlflow.db", "it")
    assert ("new",) in rows_of(tmp_path / "mlflow.db", "select run_uuid from runs")


def test_the_second_one_writes_what_is_new(shop, place):
    first = back_up(shop, place)
    second = back_up(shop, place)
    assert second.written_bytes < first.written_bytes / 2
    assert [one.stored for one in second.databases] == [one.stored for one in first.databases]
    assert second.name != first.name
    again = back_up(shop, place, anew=True)
    assert again.written_bytes >= first.written_bytes - 100


def test_one_that_breaks_off_is_none_and_the_next_goes_on_from_there(shop, place, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(creation.Creation, "_secrets", lambda *_: (_ for _ in ()).throw(StorageError("full")))
        with pytest.raises(StorageError, match="full"):
            back_up(shop, place)
    assert catalogue.found_in(place) == []
    assert list(place.items("objects/")) != []
    made = back_up(shop, place)
    assert made.written_bytes < 3000, "little more than the secrets"


def test_what_killed_backups_left_goes(shop, place):
    left = shop.state / ".backup-left"
    left.mkdir()
    (left / "airflow.db").write_bytes(b"half")
    back_up(shop, place)
    assert not left.exists()


def test_when_the_one_before_is_damaged_nothing_of_it_is_trusted(shop, place):
    made = back_up(shop, place)
    listing = made.trees[0].listing.object
    (place.root / "objects" / listing[:2] / listing).write_bytes(b"damaged")
    assert back_up(shop, place).written_bytes >= made.written_bytes - 100
    assert trees.files_of(made.trees[0], Objects(place)), "and the old one is whole again"


def test_two_at_once_are_refused(shop, place):
    with place.held(), pytest.raises(NeighbourError, match="Somebody else"):
        back_up(shop, place)


def test_a_damaged_database_is_refused_by_name(shop, place):
    shop.mlflow_database.write_bytes(b"this is no database" * 1000)
    for companion in shop.mlflow_home.glob("mlflow.db-*"):
        companion.unlink()
    with pytest.raises(StorageError, match="MLflow's database"):
        back_up(shop, place)
    assert catalogue.found_in(place) == []


def test_a_project_that_never_ran_has_nothing_to_back_up(tmp_path, place):
    (tmp_path / "airfoil.toml").write_text("")
    with pytest.raises(ConfigurationError, match="nothing to back up"):
        back_up(Project(tmp_path), place)


def test_a_short_passphrase_is_refused_before_anything_is_done(shop, place):
    with pytest.raises(SecretsError):
        back_up(shop, place, passphrase="short")
    assert not place.root.exists()


def test_servers_of_others_are_said_to_be_left_out(shop, place):
    settings = load(shop.root, {"AIRFOIL_MLFLOW_URL": "https://mlflow.example.com"})
    made = creation.Creation(shop, settings, place, PASSPHRASE, cost=CHEAP).run()
    assert made.left_out[0][0] == "MLflow"
    assert [tree.part for tree in made.trees] == ["project"]
    assert json.dumps(made.to_json())


def test_names_are_in_the_order_of_time_within_a_second_too(shop, place):
    moments = iter(1_795_000_000 + number / 1000 for number in range(1, 1000))
    names = [back_up(shop, place, clock=lambda: next(moments)).name for _ in range(3)]
    assert names == sorted(names)
    assert catalogue.named(place, "latest").name == names[-1]

"""Trying a backup out: what is damaged is named, part by part."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing

import pytest
from tests.backup_shop import CHEAP, PASSPHRASE, back_up, examine, objects_of, spoil

from airfoil.errors import StorageError
from airfoil.stack.backup import catalogue, manifest, verification
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.sealing import seal

pytestmark = pytest.mark.unit


def failed(found):
    return {part for part, one in found.items() if one.outcome == "failed"}


def test_a_whole_backup_is_found_whole(shop, place, tmp_path):
    tried = []

    def trial(folder):
        tried.append(sorted(path.name for path in folder.iterdir()))
        return {"rows": 3, "predictions": [1, 2, 3]}

    found = examine(place, back_up(shop, place), tmp_path / "scratch", trial=trial)
    assert failed(found) == set()
    assert list(found) == [
        "airflow", "mlflow", "feast_registry", "feast_online", "artifacts", "project", "secrets", "connections",
        "logins", "counts", "model",
    ]  # fmt: skip
    assert tried == [["MLmodel", "model.bin"]]
    assert found["model"].detail == "wine version 1 predicted 3 rows of its input example"
    assert found["connections"].detail == "2 values decrypted"
    assert "2 ledger entries" in found["counts"].detail
    assert found["logins"].outcome == "skipped"
    verification.refuse_failed(list(found.values()))


@pytest.mark.parametrize(
    "part", ["airflow", "mlflow", "feast_registry", "feast_online", "artifacts", "project", "secrets"]
)
@pytest.mark.parametrize("harm", [spoil, lambda path: path.unlink(), lambda path: path.write_bytes(b"")])
def test_damage_of_each_part_is_caught_and_named(shop, place, tmp_path, part, harm):
    made = back_up(shop, place)
    harm(objects_of(made, place)[part])
    found = examine(place, made, tmp_path / "scratch")
    assert part in failed(found)
    assert failed(found) <= {part, "counts"}, "and nothing else is blamed, but what it counts"
    with pytest.raises(StorageError, match=f"The backup is damaged: .*{part}") as told:
        verification.refuse_failed(list(found.values()))
    assert "--anew" in told.value.next_move
    assert any(line.startswith(f"{part}: ") for line in told.value.details)


def test_a_damaged_list_of_files_is_named(shop, place, tmp_path):
    made = back_up(shop, place)
    digest = made.trees[0].listing.object
    spoil(place.root / "objects" / digest[:2] / digest)
    assert "artifacts" in failed(examine(place, made, tmp_path / "scratch"))


def test_a_new_one_mends_the_place(shop, place, tmp_path):
    made = back_up(shop, place)
    for path in objects_of(made, place).values():
        spoil(path)
    again = back_up(shop, place, anew=True)
    assert failed(examine(place, again, tmp_path / "scratch")) == set()
    assert failed(examine(place, made, tmp_path / "scratch-2")) <= {"secrets"}, (
        "and the old one, but for its seal"
    )


def forged(made, **values):
    return manifest.sealed(made.model_copy(update=values))


def test_rows_that_were_changed_by_somebody_who_seals_again_are_named(shop, place, tmp_path):
    made = back_up(shop, place)
    objects = Objects(place)
    kept = made.database("airflow")
    objects.fetch(kept.stored, tmp_path / "a.db", "it")
    with closing(sqlite3.connect(tmp_path / "a.db")) as changed, changed:
        changed.execute("update dag_run set dag_id = 'other' where id = 1")
    one = kept.model_copy(update={"stored": objects.put_file(tmp_path / "a.db", packed=True)})
    others = tuple(copy for copy in made.databases if copy.part != "airflow")
    found = examine(place, forged(made, databases=(one, *others)), tmp_path / "scratch")
    assert "Airflow's database differs from what was kept: dag_run." in found["airflow"].detail


def test_a_key_that_does_not_fit_the_database_is_named(shop, place, tmp_path):
    made = back_up(shop, place)
    key = {"fernet_key": "x" * 43 + "="}
    secret = json.dumps({".airfoil/secrets.json": "e30="})
    for text, part in ((secret, "secrets"), ("[]", "secrets")):
        stored = Objects(place).put_bytes(seal(text.encode(), PASSPHRASE, made.name, CHEAP))
        assert part in failed(examine(place, forged(made, secrets=stored), tmp_path / f"scratch-{len(text)}"))
    from base64 import b64encode

    other = json.dumps({".airfoil/secrets.json": b64encode(json.dumps(key).encode()).decode()})
    stored = Objects(place).put_bytes(seal(other.encode(), PASSPHRASE, made.name, CHEAP))
    found = examine(place, forged(made, secrets=stored), tmp_path / "scratch")
    assert "cannot be decrypted with the key of this backup" in found["connections"].detail


def test_counts_that_do_not_agree_are_named(shop, place, tmp_path):
    made = forged(back_up(shop, place), counts={"runs": 99, "unheard of": 1})
    detail = examine(place, made, tmp_path / "scratch")["counts"].detail
    assert detail == "The manifest says 99 runs, but 3 were found; 1 unheard of, but 0 were found."


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ({"error": "it cannot be loaded"}, "failed"),
        ({"skipped": "it is a pickle"}, "skipped"),
        ({"rows": 0, "predictions": []}, "ok"),
    ],
)
def test_a_model_that_does_not_predict_is_named(shop, place, tmp_path, said, outcome):
    found = examine(place, back_up(shop, place), tmp_path / "scratch", trial=lambda _: said)
    assert found["model"].outcome == outcome


def test_a_wrong_passphrase_is_said_and_the_rest_is_looked_at(shop, place, tmp_path):
    found = examine(place, back_up(shop, place), tmp_path / "scratch", passphrase="the wrong passphrase")
    assert failed(found) == {"secrets"}
    assert found["connections"].outcome == "skipped"


def test_mlflows_administrator_can_log_in(shop, place, tmp_path):
    from werkzeug.security import generate_password_hash

    from airfoil.stack import secrets

    hashed = generate_password_hash(secrets.load(shop).mlflow_admin_password, method="pbkdf2:sha256:10")
    with closing(sqlite3.connect(shop.mlflow_home / "auth.db")) as logins, logins:
        logins.execute("create table users (username text, password_hash text)")
        logins.execute("insert into users values ('admin', ?)", (hashed,))
    made = back_up(shop, place)
    assert examine(place, made, tmp_path / "a")["logins"].outcome == "ok"


def test_the_process_that_loads_a_model_may_say_nothing(tmp_path, monkeypatch):
    def run(*_, **values):
        assert "AIRFOIL_BACKUP_PASSPHRASE" not in values["env"]
        return subprocess.CompletedProcess([], 3, "", "killed")

    monkeypatch.setenv("AIRFOIL_BACKUP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(subprocess, "run", run)
    assert verification.run_trial(tmp_path)["error"] == "the process that loaded it ended with 3: killed"

    def hang(*_, **__):
        raise subprocess.TimeoutExpired("python", 300)

    monkeypatch.setattr(subprocess, "run", hang)
    assert "did not predict within 300 s" in verification.run_trial(tmp_path)["error"]


def test_a_manifest_that_was_changed_is_found_before_anything_else(shop, place):
    made = back_up(shop, place)
    path = place.root / manifest.place_of(made.name)
    path.write_text(path.read_text().replace('"project": "shop"', '"project": "shap"'))
    with pytest.raises(StorageError, match="it was changed"):
        catalogue.named(place, made.name)

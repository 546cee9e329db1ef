"""Secrets: made once, whole, private, and never replaced."""

import base64
import json
import os
import threading
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from airfoil.errors import SecretsError, StorageError
from airfoil.stack import secrets
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

NAMES = {
    "fernet_key",
    "jwt_secret",
    "api_secret_key",
    "admin_password",
    "webhook_key",
    "webhook_secret",
    "mlflow_admin_password",
    "mlflow_flask_secret",
    "metrics_token",
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    root = tmp_path / "mein Projekt ä"
    root.mkdir()
    (root / "airfoil.toml").touch()
    found = Project(root)
    found.prepare()
    return found


def stored(project: Project) -> dict[str, str]:
    found = json.loads(project.secrets.read_text())
    assert isinstance(found, dict)
    return found


def test_secrets_are_made_once_and_stay(project):
    first = secrets.ensure(project)
    text = project.secrets.read_bytes()
    assert secrets.ensure(project) == first == secrets.load(project)
    assert project.secrets.read_bytes() == text
    assert set(stored(project)) == NAMES


def test_secrets_are_long_random_and_url_safe(project):
    values = stored(project) if project.secrets.exists() else vars(secrets.ensure(project))
    assert len(set(values.values())) == len(NAMES)
    for name, value in values.items():
        assert len(value) >= 24, name
        assert set(value) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="), name


def test_two_projects_have_nothing_in_common(project, tmp_path):
    other = Project(tmp_path / "other")
    other.root.mkdir()
    other.prepare()
    assert not set(vars(secrets.ensure(project)).values()) & set(vars(secrets.ensure(other)).values())


@pytest.mark.parametrize("name", ["fernet_key", "webhook_key"])
def test_the_encryption_keys_work_with_the_library_that_uses_them(project, name):
    cipher = Fernet(getattr(secrets.ensure(project), name))
    assert cipher.decrypt(cipher.encrypt(b"x")) == b"x"


def test_both_files_are_private_and_modes_are_repaired(project):
    found = secrets.ensure(project)
    assert json.loads(project.passwords.read_text()) == {"admin": found.admin_password}
    for path in (project.secrets, project.passwords, project.metrics_token):
        assert path.stat().st_mode & 0o777 == 0o600
        path.chmod(0o644)
    assert secrets.ensure(project) == found
    for path in (project.secrets, project.passwords, project.metrics_token):
        assert path.stat().st_mode & 0o777 == 0o600


def test_loading_repairs_and_makes_nothing(project):
    secrets.ensure(project)
    project.secrets.chmod(0o644)
    secrets.load(project)
    assert project.secrets.stat().st_mode & 0o777 == 0o644
    project.secrets.unlink()
    with pytest.raises(SecretsError, match="holds no fernet_key, jwt_secret") as caught:
        secrets.load(project)
    assert "airfoil up" in caught.value.next_move
    assert not project.secrets.exists()


def test_nothing_printed_shows_a_secret(project):
    found = secrets.ensure(project)
    shown = repr(found) + str(found) + f"{found}" + repr([found]) + repr({"secrets": found})
    assert not [value for value in vars(found).values() if value in shown]
    assert "admin_password=***" in repr(found)


def test_missing_ones_are_added_and_others_stay(project):
    before = stored(project) if project.secrets.exists() else vars(secrets.ensure(project)).copy()
    kept = {
        name: value for name, value in before.items() if name not in {"webhook_key", "mlflow_flask_secret"}
    }
    project.secrets.write_text(json.dumps(kept | {"of_a_later_version": "short"}))
    secrets.ensure(project)
    after = stored(project)
    assert {name: after[name] for name in kept} == kept
    assert after["of_a_later_version"] == "short"
    assert set(after) == NAMES | {"of_a_later_version"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"fernet_key": "abc', "is cut off or is not JSON"),
        (b"\xff\xfe\x00", "is cut off or is not JSON"),
        (b"[" * 100_000, "is cut off or is not JSON"),
        (b"[]", "does not hold names and values"),
        (b"null", "does not hold names and values"),
        (b'{"jwt_secret": 12345678901234567890}', "holds a jwt_secret that is not text"),
        (b'{"jwt_secret": null}', "holds a jwt_secret that is not text"),
        (b'{"admin_password": ""}', "holds a admin_password that is shorter than 16 characters"),
        (b'{"admin_password": "airflow"}', "holds a admin_password that is shorter than 16 characters"),
        (b'{"fernet_key": "not-base64-but-long-enough"}', "holds a fernet_key that is not a Fernet key"),
        (b'{"webhook_key": "AAAAAAAAAAAAAAAAAAAAAA=="}', "holds a webhook_key that is not a Fernet key"),
    ],
)
def test_a_damaged_file_is_refused_and_left_as_it_is(project, content, reason):
    project.secrets.write_bytes(content)
    with pytest.raises(SecretsError) as caught:
        secrets.ensure(project)
    assert reason in str(caught.value)
    assert "backup" in caught.value.next_move
    assert project.secrets.read_bytes() == content
    assert not project.passwords.exists()


def test_a_refusal_shows_no_secret_not_even_in_its_cause(project):
    secrets.ensure(project)
    text = project.secrets.read_text()
    project.secrets.write_text(text[:-20])
    with pytest.raises(SecretsError) as caught:
        secrets.ensure(project)
    assert caught.value.__suppress_context__
    assert not [value for value in json.loads(text).values() if value in str(caught.value)]


def test_a_folder_in_place_of_the_file(project):
    project.secrets.mkdir()
    with pytest.raises(StorageError, match="is a folder where a file is needed"):
        secrets.load(project)


def test_a_file_of_another_user_that_cannot_be_closed(project, monkeypatch):
    secrets.ensure(project)
    project.secrets.chmod(0o644)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(StorageError, match=r"secrets\.json belongs to"):
        secrets.ensure(project)


def test_without_a_state_folder(tmp_path):
    with pytest.raises(StorageError, match=r"\.airfoil does not exist any more"):
        secrets.ensure(Project(tmp_path))


def test_many_at_once_agree_on_one_set(project):
    found = []
    threads = [threading.Thread(target=lambda: found.append(secrets.ensure(project))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert set(found) == {secrets.load(project)}


def test_the_password_file_of_airflow_keeps_other_users_and_follows_the_secrets(project):
    found = secrets.ensure(project)
    project.passwords.write_text(json.dumps({"admin": "stale", "bob": "kept"}))
    secrets.write_airflow_passwords(project, found)
    assert json.loads(project.passwords.read_text()) == {"admin": found.admin_password, "bob": "kept"}


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00", "null"])
def test_a_damaged_password_file_is_written_anew(project, content):
    found = secrets.ensure(project)
    project.passwords.write_text(content)
    secrets.ensure(project)
    assert json.loads(project.passwords.read_text()) == {"admin": found.admin_password}


def test_an_unchanged_password_file_is_not_touched(project):
    secrets.ensure(project)
    os.utime(project.passwords, (1, 1))
    secrets.ensure(project)
    assert project.passwords.stat().st_mtime == 1


def test_the_key_is_thirty_two_random_bytes(project):
    assert len(base64.urlsafe_b64decode(secrets.ensure(project).fernet_key)) == 32


def test_the_token_for_metrics_lies_in_a_file_that_prometheus_can_read(project):
    found = secrets.ensure(project)
    assert project.metrics_token.read_text() == found.metrics_token
    os.utime(project.metrics_token, (1, 1))
    secrets.write_metrics_token(project, found)
    assert project.metrics_token.stat().st_mtime == 1
    project.metrics_token.write_text("stale")
    secrets.write_metrics_token(project, found)
    assert project.metrics_token.read_text() == found.metrics_token

"""`airfoil backup restore --into compose`: which server, from where, and what is said."""

from __future__ import annotations

import pytest
from tests.backup_shop import PASSPHRASE, make_shop

from airfoil.stack.backup import catalogue, sealing
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.deploy.restoring import ComposeRestoration

pytestmark = pytest.mark.unit

ENV = """AIRFOIL_URL=https://localhost
_AIRFLOW_WWW_USER_USERNAME=admin
_AIRFLOW_WWW_USER_PASSWORD=long-enough-for-a-test
MLFLOW_ADMIN_PASSWORD=long-enough-for-a-test
"""


@pytest.fixture
def shop(tmp_path, monkeypatch, airfoil):
    """A project with a backup, and what the restoration was made with."""
    project = make_shop(tmp_path / "shop")
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("AIRFOIL_BACKUP_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(sealing.Cost.__init__, "__defaults__", (2**4, 8, 1))
    assert airfoil("backup", "create").code == 0
    return project


@pytest.fixture
def carried_out(monkeypatch):
    seen = []

    def carry_out(self):
        seen.append(self)
        return ["FERNET_KEY"]

    monkeypatch.setattr(ComposeRestoration, "carry_out", carry_out)
    return seen


def render(shop):
    folder = shop.root / "deploy/compose"
    folder.mkdir(parents=True)
    (folder / ".env").write_text(ENV, encoding="utf-8")
    return folder


def test_it_goes_to_the_projects_server(airfoil, shop, carried_out):
    folder = render(shop)
    done = airfoil("backup", "restore", "--into", "compose", "--overwrite")
    assert done.code == 0, done.err
    (restoration,) = carried_out
    assert restoration.target.folder == folder
    assert restoration.place == shop.root / "backups"
    assert restoration.overwrite
    assert "FERNET_KEY" in done.out
    assert f"Next: cd '{folder}' && docker compose up -d --wait" in done.out
    done = airfoil("backup", "restore", "--into", "compose", "--json").json()
    assert (done["into"], done["changed_keys"]) == (str(folder), ["FERNET_KEY"])


def test_a_backup_in_s3_is_fetched_first_and_leaves_nothing_behind(airfoil, shop, carried_out, monkeypatch):
    render(shop)

    class Store:
        """A bucket, of the files that lie in the project's own folder of backups."""

        def __init__(self, address, environ):
            self.title, self._files = address, FolderPlace(shop.root / "backups")
            keys.append(environ["AWS_ACCESS_KEY_ID"])

        def __getattr__(self, name):
            return getattr(self._files, name)

    fetched, keys = [], []
    # Of the backups alone: a task could remove them by those of the data.
    for name in ("BACKUP_S3_ACCESS_KEY_ID", "BACKUP_S3_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "theirs")

    def carry_out(self):
        fetched.extend(catalogue.found_in(FolderPlace(self.place)))
        return []

    monkeypatch.setattr("airfoil.cli.backup._bucket", Store)
    monkeypatch.setattr(ComposeRestoration, "carry_out", carry_out)
    done = airfoil("backup", "restore", "--from", "s3://there/shop", "--into", "compose")
    assert done.code == 0, done.err
    (entry,) = fetched
    assert entry.manifest is not None
    assert set(keys) == {"theirs"}
    assert list((shop.root / ".airfoil").glob(".backup-*")) == []


def test_a_server_that_was_never_rendered_is_told(airfoil, shop, carried_out):
    done = airfoil("backup", "restore", "--into", "compose")
    assert done.code == 1
    assert "There is no Compose server" in done.err
    assert carried_out == []


def test_without_files_only_stores_come_back(airfoil, shop, tmp_path):
    new = tmp_path / "new"
    new.mkdir()
    (new / "airfoil.toml").write_text('[project]\nname = "shop"\n', encoding="utf-8")
    place = str(shop.root / "backups")
    done = airfoil("backup", "restore", "--from", place, "--into", str(new), "--without-files")
    assert done.code == 0, done.err
    assert {path.name for path in new.iterdir()} == {"airfoil.toml", ".airfoil"}

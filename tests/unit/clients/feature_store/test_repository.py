"""A repository as a folder: where its registry lies, and what is said when it is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from airfoil.clients.feature_store import repository
from airfoil.clients.feature_store.repository import apply_definitions, beside, first_line, open_repository
from airfoil.errors import ConfigurationError, NotFoundError, ServiceUnreachableError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("registry", "found"),
    [
        ("sqlite:///../.airfoil/registry.db", "sqlite:////srv/shop/.airfoil/registry.db"),
        ("sqlite:///registry.db", "sqlite:////srv/shop/features/registry.db"),
        ("sqlite:////var/registry.db", "sqlite:////var/registry.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///", "sqlite:///"),
        ("postgresql+psycopg://u:p@pg/feast", "postgresql+psycopg://u:p@pg/feast"),
        ("data/registry.db", "data/registry.db"),
        ("", ""),
    ],
)
def test_a_sqlite_registry_lies_where_the_repository_says(registry, found):
    assert beside(Path("/srv/shop/features"), registry) == found


@pytest.mark.parametrize("use", [open_repository, apply_definitions])
def test_a_folder_that_is_no_repository_is_said(use, tmp_path):
    with pytest.raises(NotFoundError, match="no feature repository at"):
        use(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match=r"has no feature_store\.yaml"):
        use(tmp_path)


def answering(monkeypatch, code, stdout="", stderr=""):
    asked = []

    def run(argv, **options):
        asked.append((argv, options))
        return subprocess.CompletedProcess(argv, code, stdout, stderr)

    monkeypatch.setattr(repository.subprocess, "run", run)
    return asked


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "feature_store.yaml").write_text("project: shop\n")
    return tmp_path


def test_definitions_are_applied_in_the_folder_and_in_no_other(monkeypatch, folder):
    monkeypatch.setenv("FEAST_FS_YAML_FILE_PATH", "/elsewhere/feature_store.yaml")
    monkeypatch.setenv("REDIS_PASSWORD", "x")
    asked = answering(monkeypatch, 0, "Applying changes for project shop\n")
    assert apply_definitions(folder) == "Applying changes for project shop"
    ((argv, options),) = asked
    assert argv[-1] == "apply"
    assert options["cwd"] == folder
    assert "FEAST_FS_YAML_FILE_PATH" not in options["env"]
    assert options["env"]["REDIS_PASSWORD"] == "x"


def test_what_feast_refuses_is_one_sentence_with_its_last_lines(monkeypatch, folder):
    answering(monkeypatch, 1, stderr="Traceback ...\nfeast.errors.Bad: no such entity 'x'\n")
    with pytest.raises(
        ConfigurationError, match=r"cannot be applied: feast\.errors\.Bad: no such entity"
    ) as caught:
        apply_definitions(folder)
    assert caught.value.details[0] == "Traceback ..."


def test_a_registry_that_is_away_may_be_back_later(monkeypatch, folder):
    answering(
        monkeypatch,
        1,
        stderr="sqlalchemy.exc.OperationalError: (psycopg) connection refused\nhttps://sqlalche.me\n",
    )
    with pytest.raises(ServiceUnreachableError, match="does not answer"):
        apply_definitions(folder)
    answering(monkeypatch, 1)
    with pytest.raises(ConfigurationError, match="it said nothing"):
        apply_definitions(folder)


def test_an_error_is_its_first_line():
    assert first_line(ValueError("no\nand much more")) == "no"
    assert first_line(ValueError()) == "ValueError"

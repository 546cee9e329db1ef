"""Folders of artifacts, fetched whole; a server does not choose where files lie on this machine."""

from __future__ import annotations

import httpx
import pytest

from airfoil.clients.artifact_folders import fetch_folder
from airfoil.errors import NotFoundError, ServiceAnswerError

pytestmark = pytest.mark.unit
ROOT = "mlflow-artifacts:/0/models/m-1/artifacts"
BELOW = "0/models/m-1/artifacts"


def test_files_and_folders_arrive_as_they_are(server, http, tmp_path):
    server.artifacts.update({f"{BELOW}/MLmodel": b"a", f"{BELOW}/data/größe 1.bin": bytes(range(256)) * 1000})
    fetch_folder(http, ROOT, tmp_path)
    assert (tmp_path / "MLmodel").read_bytes() == b"a"
    assert (tmp_path / "data" / "größe 1.bin").read_bytes() == bytes(range(256)) * 1000


def test_an_address_that_holds_nothing_is_an_error(http, tmp_path):
    with pytest.raises(NotFoundError, match="no files at"):
        fetch_folder(http, ROOT, tmp_path)


def test_a_refusal_says_what_the_server_said_and_leaves_no_file(server, http, tmp_path):
    server.artifacts[f"{BELOW}/MLmodel"] = b"a"
    server.fail[f"mlflow-artifacts/artifacts/{BELOW}/MLmodel"] = httpx.Response(
        500, json={"message": "disk gone"}
    )
    with pytest.raises(ServiceAnswerError, match="disk gone"):
        fetch_folder(http, ROOT, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_leads_elsewhere_is_not_followed(server, http, tmp_path):
    rows = [
        {"path": "../../evil", "is_dir": False},
        {"path": "..", "is_dir": True},
        {"path": "", "is_dir": True},
    ]
    server.fail["mlflow-artifacts/artifacts"] = httpx.Response(200, json={"files": rows})
    server.artifacts[f"{BELOW}/evil"] = b"here"
    fetch_folder(http, ROOT, tmp_path)
    assert [path.name for path in tmp_path.rglob("*")] == ["evil"]
    assert not (tmp_path.parent / "evil").exists()

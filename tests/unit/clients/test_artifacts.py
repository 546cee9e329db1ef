"""Artifacts: over HTTP where the server hands them on, through MLflow's own code elsewhere."""

import pytest

from airfoil.clients import artifacts
from airfoil.clients.artifacts import ArtifactWriter

pytestmark = pytest.mark.unit

SERVED = "mlflow-artifacts:/1/run1/artifacts"


@pytest.fixture
def through_mlflow(monkeypatch):
    """What was given to MLflow's own code: address -> relative path -> content."""
    given = {}

    def write(root_uri, folder):
        files = (path for path in folder.rglob("*") if path.is_file())
        given[root_uri] = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}

    monkeypatch.setattr(artifacts, "_write_folder_with_mlflow", write)
    return given


def test_bytes_go_below_the_address(server, http):
    ArtifactWriter(http).write_bytes(SERVED, "charts/a b ü.png", b"x")
    assert server.artifacts == {"1/run1/artifacts/charts/a b ü.png": b"x"}


def test_a_folder_keeps_its_shape(server, http, tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "top.txt").write_bytes(b"1")
    (tmp_path / "sub" / "deep.txt").write_bytes(b"2")
    ArtifactWriter(http).write_folder(SERVED, tmp_path)
    assert server.artifacts == {"1/run1/artifacts/top.txt": b"1", "1/run1/artifacts/sub/deep.txt": b"2"}


@pytest.mark.parametrize(
    "address", ["s3://bucket/1/run1", "/shared/1/run1", "mlflow-artifacts://other-host/1/run1"]
)
def test_an_address_that_this_server_does_not_serve_is_left_to_mlflow(
    server, http, tmp_path, through_mlflow, address
):
    (tmp_path / "MLmodel").write_bytes(b"m")
    writer = ArtifactWriter(http)
    writer.write_folder(address, tmp_path)
    assert through_mlflow == {address: {"MLmodel": b"m"}}
    writer.write_bytes(address, "charts/a.png", b"x")
    assert through_mlflow == {address: {"charts/a.png": b"x"}}
    assert server.artifacts == {}

"""Feast's feature server as the stack starts it: it answers, to its own names alone, from wherever it stands."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tests.integration.feature_shop import NIGHT, WEEK, FeatureShop
from tests.integration.servers import free_port, wait_until

from airfoil.clients.feature_store.repository import apply_definitions
from airfoil.clients.feature_store.store import FeatureStore

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]
FEATURES = ["customer_visits:visits_7d", "customer_visits:last_device"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> FeatureShop:
    found = FeatureShop(tmp_path_factory.mktemp("features") / "shöp 1")
    found.write_tables()
    apply_definitions(found.features)
    return found


@pytest.fixture(scope="module")
def server(shop: FeatureShop, tmp_path_factory) -> Iterator[str]:
    port, folder = free_port(), tmp_path_factory.mktemp("server")
    url = f"http://127.0.0.1:{port}"
    log = folder / "log"
    argv = [sys.executable, "-m", "airfoil.runtime.feature_server"]
    argv += ["--repository", str(shop.features), "--host", "127.0.0.1", "--port", str(port)]
    with log.open("wb") as file:
        process = subprocess.Popen(argv, cwd=folder, stdout=file, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: is_well(url), process, log)
        yield url
    finally:
        process.terminate()
        process.wait(20)
    assert [path.name for path in folder.iterdir()] == ["log"]


def is_well(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def ask(url: str, **options):
    body = {"features": FEATURES, "entities": {"customer_id": [1, 2, 999_999]}}
    return httpx.post(f"{url}/get-online-features", json=body, timeout=60, **options)


def test_features_are_answered_as_soon_as_they_are_online(server, shop):
    store = FeatureStore(shop.features)
    store.materialize(NIGHT - WEEK, NIGHT, ["customer_visits"])
    found = ask(server).json()
    names = found["metadata"]["feature_names"]
    values = dict(zip(names, [one["values"] for one in found["results"]], strict=True))
    expected = store.feast.get_online_features(
        FEATURES, [{"customer_id": n} for n in (1, 2, 999_999)]
    ).to_dict()
    assert values == expected
    assert values["last_device"][0] in {"phone", "tablet", "computer"}
    assert values["visits_7d"][2] is None


def test_a_request_by_another_name_is_refused(server):
    """As a browser sends it for a page of a stranger whose name leads here."""
    assert ask(server, headers={"Host": "stranger.example"}).status_code == 400
    assert ask(server, headers={"Host": "localhost"}).status_code == 200


def test_a_folder_that_is_no_repository_ends_it_with_one_line(tmp_path: Path):
    argv = [sys.executable, "-m", "airfoil.runtime.feature_server", "--repository", str(tmp_path)]
    done = subprocess.run(
        [*argv, "--host", "127.0.0.1", "--port", "1"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (
        78,
        f"The feature repository {tmp_path} has no feature_store.yaml. Write one.\n",
    )

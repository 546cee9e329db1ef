"""The keys of the store of backups: its own, and both of them, or the usual ones."""

from __future__ import annotations

import pytest

from airfoil.stack.backup import place_keys

pytestmark = pytest.mark.unit

USUAL = {
    "AWS_ACCESS_KEY_ID": "tasks",
    "AWS_SECRET_ACCESS_KEY": "known to tasks",
    "AWS_SESSION_TOKEN": "of tasks",
    "MLFLOW_S3_ENDPOINT_URL": "http://s3:8333",
}
OWN = {"BACKUP_S3_ACCESS_KEY_ID": "backups", "BACKUP_S3_SECRET_ACCESS_KEY": "known to nobody"}


def test_keys_of_its_own_are_taken_in_the_place_of_the_usual_ones():
    found = place_keys.environment(USUAL | OWN)
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("backups", "known to nobody")
    assert "AWS_SESSION_TOKEN" not in found
    assert found["MLFLOW_S3_ENDPOINT_URL"] == "http://s3:8333"


def test_a_store_of_its_own_is_found_by_its_own_address():
    found = place_keys.environment(USUAL | OWN | {"BACKUP_S3_URL": "https://far.example.com"})
    assert found["MLFLOW_S3_ENDPOINT_URL"] == "https://far.example.com"


@pytest.mark.parametrize("given", [{}, dict(list(OWN.items())[:1]), dict.fromkeys(OWN, "")])
def test_without_them_the_usual_ones_are(given):
    found = place_keys.environment(USUAL | given)
    assert {name: found[name] for name in USUAL} == USUAL

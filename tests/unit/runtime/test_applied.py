"""What is remembered beside a database."""

import pytest

from airfoil.runtime.applied import Applied

pytestmark = pytest.mark.unit


def test_what_is_remembered_is_there_next_time_and_can_be_forgotten(tmp_path):
    file = tmp_path / "applied.json"
    Applied(file).remember("database", {"revision": "a"})
    Applied(file).remember("connections", "digest")
    assert Applied(file).get("database") == {"revision": "a"}
    Applied(file).forget()
    assert Applied(file).get("connections") is None


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "3"])
def test_a_garbled_file_holds_nothing(tmp_path, text):
    file = tmp_path / "applied.json"
    file.write_text(text)
    assert Applied(file).get("database") is None

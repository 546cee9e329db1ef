"""One value of airfoil.toml changes, and nothing else."""

from __future__ import annotations

import tomllib

import pytest

from airfoil.errors import SettingsError
from airfoil.settings.editing import with_values

pytestmark = pytest.mark.unit

TEXT = """# ours
[project]
name = "shop"  # its name

[backup]
# a bucket of ours
place = "s3://kept"
keep = 5
"""


def test_a_value_is_set_beside_what_is_there():
    text = with_values(TEXT, "backup", {"schedule": "30 1 * * *", "keep": 7})
    assert tomllib.loads(text)["backup"] == {"place": "s3://kept", "keep": 7, "schedule": "30 1 * * *"}
    assert "# its name" in text
    assert "# a bucket of ours" in text


def test_a_section_that_is_missing_comes_last():
    text = with_values('[project]\nname = "shop"\n', "backup", {"keep": 2})
    assert tomllib.loads(text) == {"project": {"name": "shop"}, "backup": {"keep": 2}}


def test_none_takes_a_key_out():
    assert "keep" not in tomllib.loads(with_values(TEXT, "backup", {"keep": None, "nothing": None}))["backup"]


def test_a_file_that_is_no_toml_is_told():
    with pytest.raises(SettingsError, match=r"airfoil\.toml cannot be changed"):
        with_values("[backup\n", "backup", {"keep": 2})

"""Findings: whatever is not ok has a fix, and nothing shows a password."""

import json

import pytest

from airfoil.errors import InternalError, SettingsError
from airfoil.stack.findings import error, from_error, ok, warn, worst

pytestmark = pytest.mark.unit


def test_a_finding_is_a_row_of_json():
    row = warn("disk", "Only 3 MiB are free.", "Free some space.").to_dict()
    assert json.loads(json.dumps(row)) == {
        "check": "disk",
        "level": "warn",
        "message": "Only 3 MiB are free.",
        "fix": "Free some space.",
    }


def test_what_is_not_ok_has_a_fix():
    assert ok("disk", "Fine.").fix == ""
    with pytest.raises(InternalError, match="has no fix"):
        error("disk", "Full.", "")


def test_passwords_are_hidden():
    found = error(
        "databases", "No answer from postgresql://u:geheim@h/n.", "Start postgresql://u:geheim@h/n."
    )
    assert "geheim" not in str(found.to_dict())


def test_our_errors_become_findings():
    found = from_error("settings", SettingsError("It is wrong.", "Mend it."))
    assert (found.level, found.message, found.fix) == ("error", "It is wrong.", "Mend it.")
    assert from_error("settings", SettingsError("It is wrong.")).fix


def test_the_worst_level_counts():
    assert worst([]) == "ok"
    assert worst([ok("a", "x"), warn("a", "x", "y"), ok("a", "x")]) == "warn"
    assert worst([error("a", "x", "y"), warn("a", "x", "y")]) == "error"

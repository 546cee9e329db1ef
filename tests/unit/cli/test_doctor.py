import json

import pytest

from airfoil.stack import doctor
from airfoil.stack.findings import error, ok, warn

pytestmark = pytest.mark.unit

FINDINGS = [
    ok("python", "Python 3.11."),
    warn("disk", "Only 300 MiB are free.", "Free some space."),
    error("ports", "Port 5000 is taken.", "Stop that program."),
]


@pytest.fixture
def findings(monkeypatch):
    """What the examination finds; where it was asked to look stays in `asked`."""
    found = list(FINDINGS)
    asked = []

    def examine_from(start, environ):
        asked.append(start)
        return found

    monkeypatch.setattr(doctor, "examine_from", examine_from)
    return found, asked


def test_each_finding_with_its_fix(airfoil, project, findings):
    outcome = airfoil("doctor")

    assert outcome.code == 1
    assert outcome.out.splitlines() == [
        "✓ python       Python 3.11.",
        "! disk         Only 300 MiB are free.",
        "               Free some space.",
        "✗ ports        Port 5000 is taken.",
        "               Stop that program.",
        "",
        "3 things looked at, 2 of them to mend.",
    ]


def test_warnings_alone_are_no_failure(airfoil, project, findings):
    del findings[0][2]

    assert airfoil("doctor").code == 0


def test_json(airfoil, project, findings):
    outcome = airfoil("doctor", "--json")

    found = json.loads(outcome.out)
    assert (outcome.code, found["schema"], found["worst"]) == (1, 1, "error")
    assert found["findings"][1] == {
        "check": "disk",
        "level": "warn",
        "message": "Only 300 MiB are free.",
        "fix": "Free some space.",
    }


def test_it_looks_where_project_says(airfoil, project, findings, tmp_path):
    airfoil("doctor", "--project", str(tmp_path))

    assert findings[1] == [tmp_path]

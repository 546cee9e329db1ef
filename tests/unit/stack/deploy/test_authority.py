"""Which file holds who has signed a server's certificate: by AIRFOIL_TLS, in Python and in the scripts alike."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from airfoil.stack.deploy import authority, shipped

pytestmark = pytest.mark.unit

CASES = [
    ({}, "ca.crt"),
    ({"AIRFOIL_TLS": ""}, "ca.crt"),
    ({"AIRFOIL_TLS": "internal", "AIRFOIL_TLS_FOLDER": "./tls"}, "ca.crt"),
    ({"AIRFOIL_TLS": "automatic", "AIRFOIL_TLS_FOLDER": "./tls"}, None),
    ({"AIRFOIL_TLS": "own"}, "tls/ca.crt"),
    ({"AIRFOIL_TLS": "own", "AIRFOIL_TLS_FOLDER": "./tls"}, "tls/ca.crt"),
    ({"AIRFOIL_TLS": "own", "AIRFOIL_TLS_FOLDER": "/etc/ml/tls"}, "/etc/ml/tls/ca.crt"),
]


@pytest.mark.parametrize(("given", "place"), CASES)
def test_it_follows_what_env_says_of_tls(given, place):
    folder = Path("/srv/shop")
    assert authority.place(folder, given) == (None if place is None else folder / place)


@pytest.mark.parametrize(("given", "place"), CASES)
def test_the_scripts_find_the_same_file(tmp_path, given, place):
    text = "".join(f"{name}={value}\n" for name, value in given.items())
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    script = f". {shipped.folder() / 'compose' / 'steps.sh'}; authority_file"
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    said = done.stdout.strip()
    assert (Path(said) if said else None) == (None if place is None else Path(place))

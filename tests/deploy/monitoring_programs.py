"""Prometheus, Alertmanager and their tools, as Debian packs them: installed, or unpacked beside the other stand-ins."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

STAND_INS = Path("/var/cache/airfoil-stand-ins")
ALERT_TEMPLATES = Path("/usr/share/prometheus/alertmanager/default.tmpl")


def program(name: str) -> str:
    """Where it is; without it the test is skipped, and on a build machine it fails."""
    if name == "prometheus-alertmanager" and not ALERT_TEMPLATES.is_file():
        pytest.skip("Debian's Alertmanager needs its templates: `sh tests/system_packages.sh`")
    unpacked = sorted(STAND_INS.glob(f"*/usr/bin/{name}"))
    found = shutil.which(name) or (str(unpacked[-1]) if unpacked else None)
    if found is None:
        reason = f"no {name} on this machine (`sh tests/system_packages.sh` unpacks Debian's)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found

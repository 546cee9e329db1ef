"""skops is loaded with scipy's functions named; alone it is only an import, so a process of its own shows it."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

_ASK = """
import airfoil.runtime.skops_home, sys, threading
import scipy.special
print("skops.io" in sys.modules, threading.active_count(), scipy.special.gamma.__module__ is not None)
"""


def test_it_loads_skops_names_the_functions_and_starts_no_thread():
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ASK], capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["True", "1", "True"]

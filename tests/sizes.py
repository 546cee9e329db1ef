"""How much of the tests is run: `make test` takes small sizes, `make test-full` (FULL=1) all of them."""

from __future__ import annotations

import os

import pytest

FULL = os.environ.get("FULL") == "1"
full_only = pytest.mark.skipif(not FULL, reason="met elsewhere in another setting; FULL=1 runs it")

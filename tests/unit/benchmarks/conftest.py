"""What the tests of the benchmarks share: benchmarks/ is no installed package, so its parent goes on the path."""

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))


@pytest.fixture
def result_file() -> dict[str, Any]:
    """A kept result, as small as one can be."""
    return {
        "line": {
            "name": "race",
            "size": {"scale": 1},
            "versions": {"python": "3.11.9"},
            "peer_command": "peer run",
            "samples": 1,
            "ours": {"seconds": 2.0, "left": 0},
            "peer": {"seconds": 8.0, "left": 0},
            "peer_tuned": {"seconds": 4.0, "left": 0},
            "ratio": {"seconds": 0.25},
            "ratio_tuned": {"seconds": 0.5},
            "equal": True,
        },
        "taken_on": "2026-11-20",
        "title": "A race",
        "lead": "Who is first.",
        "sides": [
            {"key": "ours", "label": "ours run", "command": "ours run"},
            {"key": "peer", "label": "the peer", "command": "peer run"},
            {"key": "peer_tuned", "label": "the tuned peer", "command": "peer run --fast"},
        ],
        "figures": [
            {"key": "seconds", "label": "Time", "unit": "s", "digits": 1, "is_plotted": True},
            {"key": "left", "label": "Left", "unit": "", "digits": 0, "is_plotted": False},
        ],
        "goals": [
            {"text": "Time", "value": 0.25, "limit": 0.7, "unit": "", "is_met": True},
            {"text": "Memory", "value": 1200.4, "limit": 1024, "unit": "MiB", "is_met": False},
        ],
        "notes": ["Measured with care."],
        "machine": {"processor": "Fast", "cores": 2, "memory_gib": 24, "system": "Linux x86_64"},
        "details": {},
    }

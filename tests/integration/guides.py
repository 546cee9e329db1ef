"""The code that the guides print, as a reader copies it."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"^```python.*?\n(.+?)^```$", re.MULTILINE | re.DOTALL)


def printed(page: str) -> list[str]:
    """Every block of Python on a page."""
    return _BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))

"""What tests of the rules share."""

from __future__ import annotations

import pytest

from airfoil.lint import Source, check_source
from airfoil.lint.source import parse_source


@pytest.fixture
def source():
    """source(text) parses a text."""

    def parse(text: str) -> Source:
        found = parse_source(text.encode(), "x.py")
        assert isinstance(found, Source)
        return found

    return parse


@pytest.fixture
def codes(source):
    """codes(text) gives (line, code) of what the rules find in a text."""
    return lambda text: [(one.line, one.code) for one in check_source(source(text))]

from __future__ import annotations

import pytest

from airfoil.markup import Markup, code, is_web, join, link, tag

pytestmark = pytest.mark.unit


def test_text_is_escaped_and_markup_is_not():
    assert tag("p", "<b>&\"'") == "<p>&lt;b&gt;&amp;&quot;&#x27;</p>"
    assert tag("p", tag("b", "x")) == "<p><b>x</b></p>"
    assert isinstance(tag("p"), Markup)


def test_attributes_are_escaped_and_may_be_left_out():
    assert tag("a", href='"><script>') == '<a href="&quot;&gt;&lt;script&gt;"></a>'
    assert (
        tag("i", class_="dot", aria_hidden="true", id=None, hidden=False)
        == '<i class="dot" aria-hidden="true"></i>'
    )
    assert tag("script", defer=True) == "<script defer></script>"


def test_void_elements_have_no_end():
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'


def test_join_drops_nothing_but_nothing():
    assert join("a", None, Markup("<br>"), "", "<") == "a<br>&lt;"


def test_backticks_become_code():
    assert code("read `airfoil logs`, then") == "read <code>airfoil logs</code>, then"
    assert code("`<x>`") == "<code>&lt;x&gt;</code>"
    assert code("one ` alone") == "one ` alone"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//host/x", "/x", "http:", "http://[", "", None]
)
def test_only_web_addresses_become_links(url):
    assert link("x", url) == "x"


def test_web_addresses():
    assert link("x", "http://127.0.0.1:5000/#/a?b=1&c") == (
        '<a href="http://127.0.0.1:5000/#/a?b=1&amp;c" rel="noreferrer">x</a>'
    )
    assert is_web("https://example.org")

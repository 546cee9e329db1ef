"""HTML that escapes by default: text goes in escaped, only what this module built goes in as it is.

Forty lines instead of a template library: the page is one document, and a library costs megabytes in every stack.
"""

from __future__ import annotations

import html
from urllib.parse import urlsplit

VOID = frozenset({"meta", "link"})


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def tag(name: str, /, *children: str | Markup | None, **attributes: str | float | bool | None) -> Markup:
    """Build an element.

    In attribute names `_` reads as `-` and a trailing `_` is dropped; None and False leave an attribute out.
    """
    opening = [name]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        label = key.rstrip("_").replace("_", "-")
        opening.append(label if value is True else f'{label}="{html.escape(str(value))}"')
    start = f"<{' '.join(opening)}>"
    return Markup(start if name in VOID else f"{start}{join(*children)}</{name}>")


def join(*children: str | Markup | None) -> Markup:
    """Put pieces one after the other; plain text is escaped."""
    return Markup(
        "".join(child if isinstance(child, Markup) else html.escape(child) for child in children if child)
    )


def code(text: str) -> Markup:
    """Escape text and set what stands in backticks as code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # an odd backtick is just a backtick
        return join(text)
    return join(*(tag("code", piece) if index % 2 else piece for index, piece in enumerate(pieces)))


def link(text: str | Markup, url: str | None, **attributes: str | None) -> Markup:
    """Link to a web address; any other scheme (`javascript:`, `data:`) stays plain text."""
    if not url or not is_web(url):
        return join(text)
    return tag("a", text, href=url, rel="noreferrer", **attributes)


def is_web(url: str) -> bool:
    """Tell whether this is an http or https address with a host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)

"""What an alert says: as a subject, as plain text, as HTML, and as a message for a chat.

Names of DAGs and tasks and the words of an exception come from elsewhere: nothing of them may become a header, a tag
or a link. Must not know who is told, or how.
"""

from __future__ import annotations

import html as markup
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field

from airfoil.records import FrozenNames, Record

AlertKind = Literal["failed", "late", "rejected", "retried", "skipped", "succeeded"]

SUBJECT_CHARACTERS = 150
REASON_CHARACTERS = 600
TEXT_CHARACTERS = 2000
CHAT_CHARACTERS = 2900  # a block of Slack's holds 3,000
TASKS_NAMED = 5
NUMBERS_SHOWN = 30

_VERBS: dict[AlertKind, str] = {
    "failed": "failed",
    "late": "is late",
    "rejected": "rejected a model",
    "retried": "is tried again",
    "skipped": "was skipped",
    "succeeded": "succeeded",
}
_COLOURS: dict[AlertKind, str] = {
    "failed": "#b3261e",
    "late": "#9a5b00",
    "rejected": "#9a5b00",
    "retried": "#9a5b00",
}

# Written out: many mail programs know no style sheets, and some have a dark ground of their own.
_BODY = (
    "font-family:sans-serif;font-size:14px;line-height:1.4;color:#1f2328;background:#fff;max-width:720px;"
    "overflow-wrap:anywhere"
)
# Of a fixed layout: a long word of a name is broken in its column instead of making the page wider than a phone.
_TABLE = "border-collapse:collapse;margin:0 0 12px;table-layout:fixed;width:100%"
_NAME = "padding:2px 16px 2px 0;color:#666;vertical-align:top;width:32%"
_VALUE = "padding:2px 0;vertical-align:top"


class AlertLink(Record):
    """A place to look, by what is seen there."""

    title: str = Field(min_length=1)
    url: str


class Alert(Record):
    """What happened to a DAG run or to one of its tasks."""

    kind: AlertKind
    dag_id: str
    run_id: str = ""
    task_id: str = ""
    """The task it happened to; of several, the one to look at first."""
    also: tuple[str, ...] = ()
    """Other tasks that failed in the same run."""
    reason: str = ""
    """What happened, in a sentence."""
    text: str = ""
    """What the author of the DAG wants to say about it."""
    title: str = ""
    """What happened, where that is more than the kind tells: `iris version 3 is deployed`."""
    numbers: FrozenNames = Field(default_factory=dict, validate_default=True)
    """What was measured, as it is to be read."""
    next_move: str = ""
    """What a reader can do about it now."""
    links: tuple[AlertLink, ...] = ()

    @property
    def headline(self) -> str:
        """Who it happened to, and what: `churn failed in train`."""
        if self.title:
            return f"{one_line(self.dag_id, 100)}: {one_line(self.title, 200)}"
        where = f" in {one_line(self.task_id, 100)}" if self.task_id else ""
        return f"{one_line(self.dag_id, 100)} {_VERBS[self.kind]}{where}"


def one_line(text: str, characters: int) -> str:
    """Return text on one line without control characters, cut to this length."""
    # Unprintable are line ends of every alphabet, escape sequences, and signs that turn the direction of writing.
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return plain if len(plain) <= characters else f"{plain[: characters - 1].rstrip()}…"


def subject(alert: Alert) -> str:
    """Return the line that a list of mails shows."""
    reason = one_line(alert.reason, REASON_CHARACTERS).rstrip(".")
    return one_line(f"{alert.headline}: {reason}" if reason else alert.headline, SUBJECT_CHARACTERS)


def plain(alert: Alert) -> str:
    """Return the alert as text."""
    parts = [f"{alert.headline}.", _reason(alert), _own_words(alert), _listed(_numbers(alert))]
    parts += [f"Next: {_next_move(alert)}"] if alert.next_move else []
    parts.append(_listed(_facts(alert) + [(one_line(link.title, 40), link.url) for link in _links(alert)]))
    return "\n\n".join(part for part in parts if part) + "\n"


def html(alert: Alert) -> str:
    """Return the alert as a small page that needs nothing from elsewhere."""
    colour = _COLOURS.get(alert.kind, "#1b6e3c")
    own_words = markup.escape(_own_words(alert)).replace("\n", "<br>")
    links = " · ".join(
        f'<a href="{markup.escape(link.url)}">{markup.escape(one_line(link.title, 40))}</a>'
        for link in _links(alert)
    )
    parts = [
        f'<h2 style="margin:0 0 12px;font-size:18px;color:{colour}">{markup.escape(alert.headline)}</h2>',
        f"<p>{markup.escape(_reason(alert))}</p>" if alert.reason else "",
        f"<p>{own_words}</p>" if own_words else "",
        _table(_numbers(alert)),
        f"<p><strong>Next:</strong> {markup.escape(_next_move(alert))}</p>" if alert.next_move else "",
        _table(_facts(alert)),
        f"<p>{links}</p>" if links else "",
    ]
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"></head>\n'
        f'<body style="{_BODY}">\n{body}\n</body></html>\n'
    )


def chat(alert: Alert) -> dict[str, Any]:
    """Return the alert as JSON for a webhook of Slack's kind: a text for all, blocks for those that show them."""
    words = [f"*{_for_chat(alert.headline)}*", _for_chat(_reason(alert)), _for_chat(_own_words(alert))]
    words += [f"{_for_chat(name)}: {_for_chat(value)}" for name, value in _numbers(alert)]
    words += [f"Next: {_for_chat(_next_move(alert))}"] if alert.next_move else []
    words += [f"{name}: {_for_chat(value)}" for name, value in _facts(alert)]
    blocks = [_block("\n".join(word for word in words if word)[:CHAT_CHARACTERS])]
    links = [
        f"<{_for_chat(link.url).replace('|', '%7C')}|{_for_chat(one_line(link.title, 40))}>"
        for link in _links(alert)
    ]
    if links:
        blocks.append(_block(" · ".join(links)[:CHAT_CHARACTERS]))
    return {"text": _for_chat(subject(alert)), "blocks": blocks}


def _reason(alert: Alert) -> str:
    return one_line(alert.reason, REASON_CHARACTERS)


def _next_move(alert: Alert) -> str:
    return one_line(alert.next_move, REASON_CHARACTERS)


def _numbers(alert: Alert) -> list[tuple[str, str]]:
    rows = [(one_line(name, 60), one_line(value, 200)) for name, value in alert.numbers.items()]
    more = len(rows) - NUMBERS_SHOWN
    return [*rows[:NUMBERS_SHOWN], ("...", f"and {more} more")] if more > 0 else rows


def _listed(rows: list[tuple[str, str]]) -> str:
    """Return rows as lines of text, their values one below the other."""
    width = max((len(name) for name, _ in rows), default=0) + 2
    return "\n".join(f"{name + ':':<{width}}{value}" for name, value in rows)


def _table(rows: list[tuple[str, str]]) -> str:
    """Return rows as a table of HTML; nothing for none."""
    cells = "".join(
        f'<tr><td style="{_NAME}">{markup.escape(name)}</td><td style="{_VALUE}">{markup.escape(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="{_TABLE}">{cells}</table>' if cells else ""


def _own_words(alert: Alert) -> str:
    """Return the author's words; their line ends are meant."""
    lines = [one_line(line, TEXT_CHARACTERS) for line in alert.text.strip()[:TEXT_CHARACTERS].splitlines()]
    return "\n".join(lines)


def _facts(alert: Alert) -> list[tuple[str, str]]:
    others = ", ".join(one_line(task, 100) for task in alert.also[:TASKS_NAMED])
    more = len(alert.also) - TASKS_NAMED
    rows = [
        ("Run", one_line(alert.run_id, 200)),
        ("Task", one_line(alert.task_id, 200)),
        ("Also failed", f"{others} and {more} more" if more > 0 else others),
    ]
    return [(name, value) for name, value in rows if value]


def _links(alert: Alert) -> list[AlertLink]:
    """Return the links that lead to a web page and nowhere else."""
    found = []
    for link in alert.links:
        try:
            parts = urlsplit(link.url)
        except ValueError:
            continue
        clean = link.url.isprintable() and not set(link.url) & set(" <>\"'")
        if parts.scheme in {"http", "https"} and parts.netloc and clean:
            found.append(link)
    return found


def _for_chat(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _block(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}

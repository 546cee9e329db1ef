"""A contract as a YAML file for a person: each column on its own, and what else it could say, as comments.

What is written is read back as the same contract. Must not look at a table.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airfoil.steps.quality.contract import Contract

_WIDTH = 110
_HEAD = """\
What a table has to be. Read off {source}: a first draft, which a person should look at before it guards anything.
Ranges have room on both sides, and the values of one_of are those that were seen. Only what stands here is checked,
besides that the columns are there. Check a table with: airfoil data check TABLE --contract THIS_FILE

Of a column: type (integer, float, number, text, timestamp, ... or as Arrow writes it), required: false, nullable: false
or most_missing: 0.05, finite: true, at_least, at_most, one_of: [a, b], matches: a regular expression, unique: true, and
tolerance: 0.001, the share of values that may break range, set or pattern."""
_OTHER_COLUMNS = ("refuse allows no column besides:", {"other_columns": "refuse"})
_KEYS = ("Columns whose values together are there once:", {"keys": [["first column", "second column"]]})
_DUPLICATES = ("The share of rows that may repeat another one wholly:", {"most_duplicates": 0})
_FOREIGN_KEYS = (
    "Columns whose values must stand in another table, handed in by --table zones=zones.parquet:",
    {"foreign_keys": [{"columns": ["zone"], "table": "zones", "references": ["id"]}]},
)


def teaching_yaml(contract: Contract, source: str) -> str:
    """Return the contract as YAML with comments; `source` is what it was read off."""
    return "\n".join(_lines(contract, " ".join(source.split()))) + "\n"


def _lines(contract: Contract, source: str) -> Iterator[str]:
    yield from _comment(_HEAD.format(source=_plain(source)))
    said = contract.model_dump(mode="json", exclude_defaults=True)
    columns = said.pop("columns", {})
    if columns:
        yield "columns:"
        for name, rule in columns.items():
            yield textwrap.indent(_yaml({name: rule}), "  ")
    rows = said.pop("rows", None)
    if rows:
        yield ""
        yield "# How many rows there must be, and with at_most: how many there may be."
        yield _yaml({"rows": rows})
    for key, value in said.items():
        yield ""
        yield _yaml({key: value})
    for what, example in (_OTHER_COLUMNS, _KEYS, _DUPLICATES, _freshness(contract), _FOREIGN_KEYS):
        if not set(example) & set(said):
            yield ""
            yield from _comment(what)
            yield from _comment(_yaml(example))


def _freshness(contract: Contract) -> tuple[str, dict[str, Any]]:
    """Name a column that holds moments, if there is one."""
    moments = [name for name, rule in contract.columns.items() if rule.type.startswith(("timestamp", "date"))]
    column = moments[0] if moments else "when"
    return "How old the newest row may be:", {"freshness": {"column": column, "hours": 24}}


def _yaml(value: dict[str, Any]) -> str:
    """Write one setting: what is in it on one line where it fits, its own name never in braces."""
    import yaml

    (inside,) = value.values()
    style = None if isinstance(inside, dict | list) else False
    # PyYAML writes some line ends of Unicode as they are, and reads them as line ends.
    is_plain = json.dumps(value, ensure_ascii=False).isprintable()
    written = yaml.safe_dump(
        value, sort_keys=False, allow_unicode=is_plain, default_flow_style=style, width=_WIDTH
    )
    return str(written).rstrip("\n")


def _comment(text: str) -> Iterator[str]:
    return (f"# {line}".rstrip() for line in text.splitlines())


def _plain(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)

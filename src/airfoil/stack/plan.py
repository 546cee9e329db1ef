"""In which order services start and stop. Pure: names and needs in, waves of names out; no process is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airfoil.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def waves(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Group services so that each wave needs only earlier ones; within a wave the order of the table is kept."""
    for name, wanted in needs.items():
        for other in wanted:
            if other not in needs:
                message = f"service {name!r} needs {other!r}, which is not in the table"
                raise InternalError(message)
    placed: set[str] = set()
    result: list[list[str]] = []
    while len(placed) < len(needs):
        wave = [name for name in needs if name not in placed and all(n in placed for n in needs[name])]
        if not wave:
            stuck = ", ".join(sorted(set(needs) - placed))
            message = f"services need each other in a circle: {stuck}"
            raise InternalError(message)
        result.append(wave)
        placed.update(wave)
    return result


def stop_order(needs: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The same waves backwards: nothing loses what it needs before it has stopped itself."""
    return list(reversed(waves(needs)))

"""`airfoil up --explain`: print what would be started and why, without starting it."""

from __future__ import annotations

import shlex
from itertools import groupby
from typing import TYPE_CHECKING, Any

from airfoil.cli import console
from airfoil.stack.explanation import explain

if TYPE_CHECKING:
    from airfoil.settings import Settings
    from airfoil.stack.project import Project


def show(project: Project, settings: Settings, *, as_json: bool) -> None:
    """Print it, for a person or for a program."""
    found = explain(project, settings)
    if as_json:
        console.emit_json(found)
        return
    engine = found["engine"]
    console.out(f"{console.styled('Engine', 'bold')} {engine['name']}: {engine['reason']}.")
    for notice in found["notices"]:
        console.out(f"! {notice}")
    for name, url in found["not_started"].items():
        console.out(f"{name} is not started: {url} is used instead.")
    console.out(f"\n{console.styled('Processes', 'bold')} (nothing is started now)")
    for row in found["processes"]:
        _show_process(row)
    console.out(
        f"\n{console.styled('Environment of all of them', 'bold')}, over that of `airfoil up`; "
        "AIRFLOW__* follow below with their reasons"
    )
    for name, value in found["environment"].items():
        if not name.startswith("AIRFLOW__"):
            console.out(f"  {name}={value}")
    if found["airflow"]:
        console.out(f"\n{console.styled('Airflow options that are set', 'bold')}, and why")
    for section, rows in groupby(sorted(found["airflow"], key=_section), key=_section):
        console.out(f"  [{section}]")
        for row in rows:
            console.out(f"  {row['key']} = {row['value']}")
            console.out(f"      {console.styled(row['reason'], 'dim')}")


def _section(row: dict[str, Any]) -> str:
    return str(row["section"])


def _show_process(row: dict[str, Any]) -> None:
    console.out(f"\n  {console.styled(row['name'], 'bold')}: {row['title']}")
    console.out(f"    {shlex.join(row['argv'])}")
    needs = f"; waits for {', '.join(row['needs'])}" if row["needs"] else ""
    console.out(f"    {row['how']}{needs}")
    for name, value in row["environment"].items():
        console.out(f"    {name}={value}")

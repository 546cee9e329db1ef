"""`airfoil check [PATH]`: look at DAG files before Airflow does."""

import contextlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation
from airfoil.errors import AirfoilError, ProjectError

if TYPE_CHECKING:
    from airfoil.lint import Fault
    from airfoil.stack.dag_checks.examination import Outcome
    from airfoil.stack.dag_checks.repair import Change
    from airfoil.stack.dag_checks.scope import Scope


def check(
    context: typer.Context,
    path: Annotated[
        Path | None, typer.Argument(metavar="PATH", help="A file or folder (default: dags/ and src/).")
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely, and show it.")] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print one JSON object: faults [file, line, code, severity, message, mend, fixable], changed, files.",
        ),
    ] = False,
) -> None:
    """Find what is wrong with DAG files; nothing needs to run.

    Imports, ids, cycles, schedules, slow or asking parses, secrets, Airflow 2 idioms; each with file, line and mend.
    Exit code: 1 when there is an error, 0 with warnings only.
    """
    from airfoil.stack.dag_checks import record
    from airfoil.stack.dag_checks.examination import examine
    from airfoil.stack.dag_checks.repair import repair

    invocation = context.ensure_object(Invocation)
    scope = _scope(invocation, path)
    changes = list(repair(scope)) if fix else []
    mark = record.mark_of(map(str, scope.roots))
    outcome = examine(scope, os.environ)
    if scope.is_whole:
        _keep(invocation, scope, outcome, mark)
    if as_json:
        console.emit_json(_as_json(outcome, changes))
    else:
        _print(outcome, changes, fix=fix)
    raise typer.Exit(console.FAILURE if outcome.errors else console.SUCCESS)


def _keep(invocation: Invocation, scope: "Scope", outcome: "Outcome", mark: str) -> None:
    """Leave the result for the status page, which runs no parse itself; without a platform nobody looks."""
    from airfoil.stack.dag_checks import record

    project = invocation.project()
    if project.run.is_dir():
        rows = [
            replace(one, file=_below(project.root, scope.base / one.file)).to_dict() for one in outcome.faults
        ]
        found = record.record_of(mark, tuple(map(str, scope.roots)), outcome.files, rows)
        with contextlib.suppress(AirfoilError):  # a disk that takes no file is doctor's to tell
            record.save(project.run, found)


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _scope(invocation: Invocation, path: Path | None) -> "Scope":
    """Look at the project around, or at what was named, which needs no project."""
    from airfoil.stack.dag_checks.scope import loose_scope, project_scope

    here = Path.cwd()
    wanted = here / path.expanduser() if path is not None else None
    try:
        project = invocation.project()
    except ProjectError:
        if wanted is None:
            raise
        return loose_scope(wanted, here)
    settings = invocation.settings(project)
    return project_scope(
        project, settings, wanted, here if project.root.is_relative_to(here) else project.root
    )


def _print(outcome: "Outcome", changes: "list[Change]", *, fix: bool) -> None:
    for change in changes:
        console.out(f"Mended {change.file}")
        for line in change.diff.splitlines()[2:]:
            style = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
            console.out(f"  {console.styled(line, style)}")
    if changes:
        console.out()
    for one in outcome.faults:
        level = "warn" if one.severity == "warning" else "error"
        mark = console.styled(console.mark(level), console.STATE_STYLES[level])
        console.out(f"{mark} {one.file}:{one.line} {one.code} {one.message}")
        console.out(f"  {console.styled(one.mend, 'bold')}")
    for note in outcome.notes:
        console.note(note)
    console.out(("\n" if outcome.faults else "") + summary(outcome.faults, outcome.files, fix=fix))


def summary(faults: "list[Fault]", files: int, *, fix: bool) -> str:
    """Count in one line, and say what mends."""
    looked = f"{files} {'file' if files == 1 else 'files'} looked at"
    if not faults:
        return f"{looked}, nothing to mend."
    errors = sum(one.severity == "error" for one in faults)
    counts = [f"{errors} error{'' if errors == 1 else 's'}"] if errors else []
    warnings = len(faults) - errors
    counts += [f"{warnings} warning{'' if warnings == 1 else 's'}"] if warnings else []
    fixable = sum(one.fixable for one in faults)
    end = f" `airfoil check --fix` mends {fixable} of them." if fixable and not fix else ""
    return f"{looked}: {' and '.join(counts)}.{end}"


def _as_json(outcome: "Outcome", changes: "list[Change]") -> dict[str, object]:
    return {
        "schema": 1,
        "files": outcome.files,
        "errors": outcome.errors,
        "warnings": len(outcome.faults) - outcome.errors,
        "faults": [one.to_dict() for one in outcome.faults],
        "changed": [{"file": one.file, "diff": one.diff} for one in changes],
        "notes": outcome.notes,
    }

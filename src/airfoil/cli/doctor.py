"""`airfoil doctor`: examine this machine and project."""

import os
from typing import Annotated

import typer

from airfoil.cli import console
from airfoil.cli.context import Invocation


def doctor(
    context: typer.Context,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object: findings [check, level, message, fix], worst."),
    ] = False,
) -> None:
    """Look for what keeps the platform from working.

    Each finding comes with its fix. Exit code: 1 when there is an error, else 0.
    """
    invocation = context.ensure_object(Invocation)

    from airfoil.stack import doctor as examination
    from airfoil.stack.findings import worst

    findings = examination.examine_from(invocation.starting_folder(), os.environ)
    level = worst(findings)
    if as_json:
        console.emit_json(
            {"schema": 1, "worst": level, "findings": [finding.to_dict() for finding in findings]}
        )
    else:
        for finding in findings:
            mark = console.styled(console.mark(finding.level), console.STATE_STYLES[finding.level])
            console.out(f"{mark} {finding.check:<12} {finding.message}")
            if finding.fix:
                console.out(f"  {'':<12} {console.styled(finding.fix, 'bold')}")
        wrong = sum(finding.level != "ok" for finding in findings)
        console.out(f"\n{len(findings)} things looked at, {wrong or 'none'} of them to mend.")
    raise typer.Exit(console.FAILURE if level == "error" else console.SUCCESS)

"""`python -m airfoil.stack.dag_checks --project ROOT`: check the text of a project's files once, and keep the result.

Started by the status page when files changed and somebody looks. Runs nothing of the user's.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from airfoil.settings import load
from airfoil.stack.dag_checks import record
from airfoil.stack.dag_checks.examination import examine
from airfoil.stack.dag_checks.scope import project_scope
from airfoil.stack.project import Project


def main() -> None:
    """Check, then write the record; the mark is taken before, so that a change meanwhile is seen."""
    parser = argparse.ArgumentParser(prog="airfoil.stack.dag_checks", description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    project = Project(parser.parse_args().project)
    os.nice(10)  # the platform's work comes first
    scope = project_scope(project, load(project.root, os.environ), None, project.root)
    folders = tuple(str(folder) for folder in scope.roots)
    mark = record.mark_of(folders)
    outcome = examine(scope, os.environ, parse=False)
    rows = [one.to_dict() for one in outcome.faults]
    record.save(project.run, record.record_of(mark, folders, outcome.files, rows))


if __name__ == "__main__":
    main()

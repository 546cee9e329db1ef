"""`python -m airfoil.stack.page --project ROOT --host H --port P`: serve the status page of one project."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from airfoil.stack.page.app import Page
from airfoil.stack.page.dag_checks import DagChecks
from airfoil.stack.page.server import PageServer
from airfoil.stack.page.sources import Sources
from airfoil.stack.project import Project


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="airfoil.stack.page", description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    arguments = parser.parse_args()
    asyncio.run(serve(Project(arguments.project), arguments.host, arguments.port))


async def serve(project: Project, host: str, port: int) -> None:
    """Serve one project's page."""
    sources = Sources(project, checks=DagChecks(project))
    try:
        await PageServer(Page(sources, host), host, port).serve()
    finally:
        sources.close()


if __name__ == "__main__":
    main()

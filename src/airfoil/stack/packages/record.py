"""What we have installed for a project, and how often a running platform had to be started anew to see it.

Must stay light: every `up` reads it, packages or not.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from airfoil.stack.project import Project
    from airfoil.stack.service import Spec

VARIABLE = "AIRFOIL_PACKAGES"


@dataclass(frozen=True)
class Record:
    """What we installed for a project, and into which environment."""

    environment: str = sys.prefix
    ours: tuple[str, ...] = ()
    generation: int = 0

    @classmethod
    def read(cls, project: Project) -> Record:
        """Read it; one that is damaged or of another environment only means that nothing is taken away."""
        try:
            found = json.loads(project.packages_file.read_text(encoding="utf-8"))
            record = cls(str(found["environment"]), tuple(found["ours"]), int(found["generation"]))
        except (OSError, ValueError, KeyError, TypeError):
            return cls()
        return record if record.environment == sys.prefix else cls(generation=record.generation)

    def write(self, project: Project) -> None:
        """Keep it."""
        values = {"environment": self.environment, "ours": list(self.ours), "generation": self.generation}
        write_private(project.packages_file, json.dumps(values))


def marked(spec: Spec, project: Project) -> Spec:
    """The table of services, other than before packages were replaced: what runs has the old ones loaded."""
    generation = Record.read(project).generation
    if not generation:
        return spec
    return replace(spec, environment={**spec.environment, VARIABLE: str(generation)})

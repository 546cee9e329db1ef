"""The files of a new DAG: where they go, what stands in the way, and writing all of them or none.

Pure but for looking at the project and, at the end, writing. What a data set says is new_training's part.
"""

from __future__ import annotations

import ast
import contextlib
import keyword
import os
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from airfoil.errors import ConfigurationError
from airfoil.stack.storage import storage_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

TEMPLATES = Path(__file__).resolve().parents[1] / "templates" / "new"
MOST_CHARACTERS = 60
LIST_OF_DAGS = "test_dags.py"
TRAINING_EDGES = (
    ("check_data", "train"),
    ("train", "beats_guessing"),
    ("train", "beats_champion"),
    ("train", "register"),
    ("beats_guessing", "beats_champion"),
    ("beats_champion", "register"),
    ("beats_champion", "promote"),
    ("register", "promote"),
)
_MARK = re.compile(r"\{\{(\w+)\}\}")


@dataclass
class Plan:
    """What will be written for one DAG."""

    name: str
    owner: str
    root: Path
    dags: Path
    files: dict[Path, str] = field(default_factory=dict)
    edits: dict[Path, str] = field(default_factory=dict)
    """Files that exist and get an entry."""
    hints: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, project: Project, settings: Settings, name: str) -> Plan:
        """Begin a plan; refuse a name that cannot be one, or is taken."""
        refuse_name(name)
        plan = cls(name, settings.project.name, project.root, project.root / settings.airflow.dags)
        plan._refuse_taken()
        return plan

    @property
    def dag_file(self) -> Path:
        """The DAG file."""
        return self.dags / f"{self.name}.py"

    @property
    def test_file(self) -> Path:
        """Its test."""
        return self.root / "tests" / f"test_{self.name}.py"

    def render(self, kind: str, **values: str) -> None:
        """Fill in the DAG, its test, and its entry in the project's list of DAGs."""
        seen = os.path.relpath(self.dag_file, self.test_file.parent)
        known = {"name": self.name, "owner": self.owner, "dag_from_tests": seen, **values}
        self.files[self.dag_file] = fill_in(f"{kind}.py.txt", known)
        self.files[self.test_file] = fill_in(f"{kind}_test.py.txt", known)
        self._enter(kind, known.get("schedule", "None"))

    def write(self) -> Iterator[str]:
        """Write every file; when one cannot be written, those before it are taken back."""
        written: list[Path] = []
        try:
            for path, text in self.files.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("x", encoding="utf-8", newline="\n") as file:
                    written.append(path)
                    file.write(text)
            for path, text in self.edits.items():
                path.write_text(text, encoding="utf-8")
        except BaseException as error:
            for path in written:
                with contextlib.suppress(OSError):
                    path.unlink()
            if isinstance(error, FileExistsError):
                raise _taken(Path(error.filename)) from error
            if isinstance(error, OSError):
                raise storage_error(Path(str(error.filename or self.root)), error) from error
            raise
        yield from (self.shown(path) for path in (*self.files, *self.edits))

    def shown(self, path: Path) -> str:
        """Give a path as people should see it."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)

    def _refuse_taken(self) -> None:
        for path in (self.dag_file, self.test_file):
            if os.path.lexists(path):
                raise _taken(path)
        from airfoil.lint import Source, declared_ids, read_source

        for path in sorted(self.dags.rglob("*.py")) if self.dags.is_dir() else ():
            source = read_source(path, self.shown(path))
            if isinstance(source, Source) and self.name in {dag_id for dag_id, _ in declared_ids(source)}:
                raise ConfigurationError(
                    f"There is a DAG {self.name} already, in {self.shown(path)}.", "Choose another name."
                )

    def _enter(self, kind: str, schedule: str) -> None:
        """Add the DAG to EXPECTED in tests/test_dags.py, where the project's own test counts its DAGs."""
        path = self.root / "tests" / LIST_OF_DAGS
        edges = {
            "dag": '{("count", "report")}',
            "training": _edges(TRAINING_EDGES),
        }[kind]
        tags = {"dag": f'{{"{self.owner}"}}', "training": f'{{"{self.owner}", "training"}}'}[kind]
        entry = f'    "{self.name}": {{"tags": {tags}, "schedule": {schedule}, "edges": {edges}}},\n'
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return
        changed = with_entry(text, entry)
        if changed is not None:
            self.edits[path] = changed
        elif "EXPECTED" in text:
            self.hints.append(f"Add {self.name} to EXPECTED in {self.shown(path)}.")


def _edges(edges: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f'("{before}", "{after}")' for before, after in edges) + "}"


def with_entry(text: str, entry: str) -> str | None:
    """Put an entry at the end of the dictionary EXPECTED; None where that is not certain."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return None
    for node in tree.body:
        is_list = isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == ["EXPECTED"]
        if is_list and isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            lines = text.splitlines(keepends=True)
            end = (node.value.end_lineno or 0) - 1
            before = lines[end - 1].rstrip()
            if lines[end].strip() == "}" and before.endswith((",", "{")):
                return "".join([*lines[:end], entry, *lines[end:]])
    return None


def refuse_name(name: str) -> None:
    """Refuse what cannot be a DAG id, a file and a Python name at once; propose what can."""
    if (
        name.isascii()
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and len(name) <= MOST_CHARACTERS
    ):
        return
    folded = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    better = re.sub(r"\W+", "_", folded).strip("_").lower()[:MOST_CHARACTERS]
    if not better or better[0].isdigit() or keyword.iskeyword(better):
        better = f"dag_{better}".rstrip("_")
    raise ConfigurationError(
        f"{name!r} cannot be the name of a DAG: letters a to z, digits and _ make one, beginning with a letter.",
        f"Try `{better}`.",
    )


def schedule_literal(schedule: str | None) -> str:
    """Write a schedule as Python; refuse what certainly is none."""
    from airfoil.lint.dag_shape import SCHEDULE_MEND, may_be_schedule

    if schedule is None:
        return "None"
    if not may_be_schedule(schedule):
        raise typer.BadParameter(f"'{schedule}' is no schedule. {SCHEDULE_MEND}", param_hint="--schedule")
    return f'"{schedule}"'


def fill_in(template: str, values: dict[str, str]) -> str:
    """Fill a template; a mark without a value is a mistake of ours, and a KeyError."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return _MARK.sub(lambda mark: values[mark[1]], text)


def _taken(path: Path) -> ConfigurationError:
    return ConfigurationError(f"{path} exists already.", "Choose another name, or remove that file.")

"""One check from files to faults: rules over the text, ruff, the parse, and what only all files together show."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airfoil.errors import NeighbourError
from airfoil.lint import Fault, Source, check_source, declared_ids, duplicates, read_source
from airfoil.lint.calls import dag_calls
from airfoil.lint.fault import fault
from airfoil.stack.dag_checks import parsing, ruff
from airfoil.stack.dag_checks.scope import PYPROJECT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from airfoil.stack.dag_checks.scope import Scope

# `# airfoil: allow AF206` (or several codes) says of a line that a person has looked.
_ALLOWED = re.compile(rb"#\s*airfoil: allow ((?:[A-Z]+\d+[ ,]*)+)")
_OURS_BY_NAME = ("AF10", "AF207")


@dataclass
class Outcome:
    """What a check found, and what it could not look at."""

    faults: list[Fault] = field(default_factory=list)
    files: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many of the faults keep a DAG from working, or should."""
        return sum(one.severity == "error" for one in self.faults)


def examine(scope: Scope, environ: Mapping[str, str], *, parse: bool = True) -> Outcome:
    """Check the files of a scope; without `parse` nothing of the user's is run."""
    read = {path: read_source(path, scope.name(path)) for path in scope.files}
    sources = {path: one for path, one in read.items() if isinstance(one, Source)}
    outcome = Outcome(files=len(read))
    found = [one for one in read.values() if isinstance(one, Fault)]
    found += _with_ruff(
        sources, [one for source in sources.values() for one in check_source(source)], outcome
    )
    declared = [
        (dag_id, source.name, line)
        for path, source in sources.items()
        if _holds_dags(path, scope)
        for dag_id, line in declared_ids(source)
    ]
    if parse:
        reports = parsing.parse_files(
            scope, [path for path in scope.files if _is_parsed(path, read, scope)], environ
        )
        for report in reports:
            found = _with_parse(report, scope, sources, found)
        declared += _computed_ids(reports, declared, scope)
    found += duplicates(declared)
    if parse and scope.is_whole and scope.wishes.dag_ids is not None:
        found += _expected(scope, {dag_id: (name, line) for dag_id, name, line in declared})
    allowed = {source.name: _allowed_lines(source) for source in sources.values()}
    outcome.faults = sorted(
        {
            one
            for one in _without_echo(found)
            if one.code not in scope.wishes.ignore
            and one.code not in allowed.get(one.file, {}).get(one.line, ())
        }
    )
    return outcome


def _with_ruff(sources: Mapping[Path, Source], own: list[Fault], outcome: Outcome) -> list[Fault]:
    """Add what ruff finds. A fault that both know is told in our words, and is fixable when either can mend it."""
    program = ruff.find_ruff()
    if program is None:
        outcome.notes.append(f"ruff is not installed, so its rules were left out. {ruff.INSTALL}")
        return own
    try:
        theirs = ruff.ask_ruff(program, {path: source.name for path, source in sources.items()})
    except NeighbourError as error:
        outcome.notes.append(f"{error.message} Its rules were left out. {error.next_move}")
        return own
    mended = {
        index for index, ours in enumerate(own) for one in theirs if one.fixable and _is_same(one, ours)
    }
    own = [replace(one, fixable=True) if index in mended else one for index, one in enumerate(own)]
    return [*own, *(one for one in theirs if not any(_is_same(one, ours) for ours in own))]


def _is_same(theirs: Fault, ours: Fault) -> bool:
    """Tell whether ruff and a rule of ours speak of the same name: on the same line, or of the same import."""
    if (
        theirs.file != ours.file
        or not theirs.code.startswith("AIR")
        or not ours.code.startswith(_OURS_BY_NAME)
    ):
        return False
    if ours.code in {"AF106", "AF107"} and theirs.subject == ours.subject:
        return True
    same_name = theirs.subject.rpartition(".")[2] == ours.subject.rpartition(".")[2]
    return theirs.line == ours.line and same_name


def _is_parsed(path: Path, read: Mapping[Path, Source | Fault], scope: Scope) -> bool:
    source = read[path]
    if not isinstance(source, Source):
        return False
    lower = source.content.lower()
    return _holds_dags(path, scope) and b"dag" in lower and b"airflow" in lower


def _holds_dags(path: Path, scope: Scope) -> bool:
    """Tell whether Airflow would look into a file: one of its folder, or one that a person has named."""
    return path.is_relative_to(scope.dags) or scope.is_named


def _with_parse(
    report: Mapping[str, Any], scope: Scope, sources: Mapping[Path, Source], found: list[Fault]
) -> list[Fault]:
    """Add what the parse of one file showed and the rules have not said already."""
    path = next(path for path in sources if str(path) == report["file"])
    source = sources[path]
    news = list(parsing.faults_of(report, source.name, _places(source), scope))
    slow = {(one.file, one.line) for one in news if one.code == "AF004"}
    found = [one for one in found if not (one.code == "AF206" and (one.file, one.line) in slow)]
    return found + [one for one in news if not _is_known(one, found)]


def _is_known(news: Fault, found: Iterable[Fault]) -> bool:
    for one in found:
        if one.file != news.file:
            continue
        reach = news.code.startswith("AF20") and one.code.startswith("AF20") and one.line == news.line
        shape = news.code in {"AF302", "AF303", "AF304"} and one.code == news.code
        # What Airflow refuses at the import is said better by the rule that knows the argument or name.
        cause = (
            news.code == "AF003" and one.severity == "error" and one.code.startswith(("AF10", "AF502", "AIR"))
        )
        told = cause and (one.line == news.line or bool(one.subject and _last(one.subject) in news.message))
        if reach or shape or told:
            return True
    return False


def _last(subject: str) -> str:
    return subject.rpartition(".")[2]


def _places(source: Source) -> dict[str, int]:
    """Say where DAGs and schedules stand; "" is the first DAG."""
    places: dict[str, int] = {}
    for dag in dag_calls(source):
        places.setdefault("", dag.line)
        if dag.dag_id:
            places.setdefault(dag.dag_id, dag.line)
        schedule = dag.argument("schedule")
        if schedule is not None:
            places.setdefault("schedule", schedule.value.lineno)
    return places


def _computed_ids(
    reports: Iterable[Mapping[str, Any]], declared: Iterable[tuple[str, str, int]], scope: Scope
) -> Iterator[tuple[str, str, int]]:
    """Give the ids that only the parse knows."""
    known = {(dag_id, name) for dag_id, name, _ in declared}
    for report in reports:
        name = next(scope.name(path) for path in scope.files if str(path) == report["file"])
        yield from ((dag_id, name, 1) for dag_id in report.get("dags", ()) if (dag_id, name) not in known)


def _expected(scope: Scope, there: Mapping[str, tuple[str, int]]) -> Iterator[Fault]:
    wanted = scope.wishes.dag_ids or frozenset()
    for dag_id in sorted(wanted - there.keys()):
        message = f"The DAG {dag_id} should be there, and no file makes it."
        mend = "Bring it back, or take it out of `dag_ids`."
        yield fault("AF308", PYPROJECT, scope.wishes.dag_ids_line, message, mend)
    for dag_id in sorted(there.keys() - wanted):
        file, line = there[dag_id]
        message = f"The DAG {dag_id} is not among `dag_ids` in {PYPROJECT}."
        yield fault("AF308", file, line, message, "Add it there.")


def _allowed_lines(source: Source) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    if b"airfoil: allow" in source.content:
        for number, line in enumerate(source.lines, 1):
            if match := _ALLOWED.search(line):
                found[number] = set(re.findall(r"[A-Z]+\d+", match[1].decode()))
    return found


def _without_echo(found: Iterable[Fault]) -> Iterator[Fault]:
    """Leave out what says the same of the same line in other words."""
    seen: set[tuple[str, int, str, str]] = set()
    for one in found:
        key = (one.file, one.line, one.code, one.subject or one.message)
        if key not in seen:
            seen.add(key)
            yield one

"""The panels of the page as HTML: services, DAG runs, MLflow runs and model versions. Pure text in, text out.

Every state is said in words; the coloured dot beside it only repeats them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airfoil.markup import Markup, code, is_web, join, link, tag
from airfoil.stack.page import wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airfoil.stack.page.borrowed import BorrowedServer
    from airfoil.stack.page.facts import AirflowFacts, DagRun, MlflowFacts, ModelVersion, TrackedRun
    from airfoil.stack.page.status import ServiceRow, StackRow, Status

BAR_UNITS = 100
SHOWN_ROWS = 8
REACHABLE = frozenset({"ready", "unhealthy"})

# state of a service -> (level, word)
SERVICE_WORDS = {
    "ready": ("good", "Running"),
    "done": ("good", "Done"),
    "waiting": ("busy", "Waiting"),
    "starting": ("busy", "Starting"),
    "restarting": ("busy", "Restarting"),
    "stopping": ("busy", "Stopping"),
    "stopped": ("off", "Stopped"),
    "unhealthy": ("bad", "Not healthy"),
    "failed": ("bad", "Down"),
}
SERVICES_STAND_IN = {"api-server": "airflow"}
# state of a server that is not ours -> (level, word)
BORROWED_WORDS = {
    "answers": ("good", "Answers"),
    "silent": ("bad", "Not usable"),
    "unknown": ("busy", "Asked"),
}
# state of an Airflow or MLflow run, lower case -> (level, word)
RUN_WORDS = {
    "success": ("good", "Success"),
    "finished": ("good", "Finished"),
    "running": ("busy", "Running"),
    "queued": ("busy", "Queued"),
    "scheduled": ("busy", "Scheduled"),
    "failed": ("bad", "Failed"),
    "killed": ("bad", "Killed"),
}


def services(status: Status) -> Markup:
    """Show the table of services: those people use first, then what works behind the scenes."""
    front = [row for row in status.services if row.kind == "service"]
    behind = [row for row in status.services if row.kind != "service"]
    heads = ("Service", "State", "For", "Restarts", "Memory", "Version", "Address")
    head = tag("tr", *(tag("th", name, scope="col", role="columnheader") for name in heads), role="row")
    rows = [*(_service(row, status.now) for row in front), *(_service(row, status.now) for row in behind)]
    if status.stack is not None:
        rows.append(_manager(status.stack, status.now))
    body = tag("tbody", *rows, role="rowgroup")
    table = tag("table", tag("thead", head, role="rowgroup"), body, class_="services", role="table")
    return panel("services", "Services", table)


def _service(row: ServiceRow, now: float) -> Markup:
    level, word = SERVICE_WORDS.get(row.state, ("off", row.state))
    plain = row.title.lower().replace(" ", "-") == row.name
    name = join(tag("strong", row.title), None if plain else tag("span", row.name, class_="name"))
    # What is wrong with the others stands at the top of the page already.
    detail = tag("span", row.detail, class_="detail") if row.detail and level == "busy" else None
    restarts = tag("span", str(row.restarts), class_="some" if row.restarts else "none")
    memory = None
    if row.memory_mib is not None:
        over = row.memory_budget_mib is not None and row.memory_mib > row.memory_budget_mib
        of = f" of {wording.mib(row.memory_budget_mib)}" if row.memory_budget_mib is not None else ""
        amount = tag("span", wording.mib(row.memory_mib), tag("span", of, class_="hidden"), class_="amount")
        memory = join(amount, bar(row.memory_mib, row.memory_budget_mib, over=over))
    return _row(
        row.name,
        "front" if row.kind == "service" else "behind",
        join(name, detail),
        state(level, word),
        distance(row.since, now) if row.state == "done" else lasting(row.since, now),
        restarts if row.kind == "service" else None,
        memory,
        row.version,
        _address(row),
    )


def _manager(stack: StackRow, now: float) -> Markup:
    level, word = ("good", "Running") if stack.manager_alive else ("bad", "Gone")
    if stack.phase == "stopped":
        level, word = "off", "Stopped"
    memory = wording.mib(stack.manager_memory_mib) if stack.manager_memory_mib is not None else None
    name = join(tag("strong", "Manager"), tag("span", "restarts what dies", class_="name"))
    since = lasting(stack.started_at, now) if stack.manager_alive else None
    return _row("manager", "behind", name, state(level, word), since, None, memory, None, None)


def _row(name: str, class_: str, *cells: str | Markup | None) -> Markup:
    labels = ("", "State", "For", "Restarts", "Memory", "Version", "Address")
    keys = ("title", "state-cell", "for", "restarts", "memory", "version", "address")
    shown = [
        tag("td", cell, class_=key + ("" if cell else " empty"), data_label=label or None, role="cell")
        for cell, key, label in zip(cells, keys, labels, strict=True)
    ]
    return tag("tr", *shown, id=f"service-{name}", class_=class_, role="row")


def _address(row: ServiceRow) -> Markup | None:
    if row.name == "page":
        return tag("span", "this page", class_="muted")
    if not row.url or not is_web(row.url):
        return None
    place = urlsplit(row.url).netloc.rpartition("@")[2]
    if row.state not in REACHABLE:
        return tag("span", place, class_="muted")
    return link(place, row.url, class_="open", aria_label=f"Open {row.title} at {place}")


def dag_runs(status: Status) -> Markup:
    """Show the last DAG runs."""
    rows = [_dag_run(run, status.now) for run in status.airflow.runs[:SHOWN_ROWS]]
    empty = _silence(status, "api-server", status.airflow, "No DAG has run yet. `airfoil demo` runs two.")
    return panel(
        "runs", "DAG runs", _list(rows, empty), _more(status, "api-server", status.airflow, "Open Airflow")
    )


def _dag_run(run: DagRun, now: float) -> Markup:
    level, word = RUN_WORDS.get(run.state.lower(), ("off", run.state))
    return _item(level, word, link(run.dag_id, run.url), run.run_type, run.started_at, run.ended_at, now)


def tracked_runs(status: Status) -> Markup:
    """Show the latest MLflow runs."""
    rows = [_tracked_run(run, status.now) for run in status.mlflow.runs[:SHOWN_ROWS]]
    empty = _silence(status, "mlflow", status.mlflow, "Nothing is logged yet.")
    return panel(
        "tracking", "MLflow runs", _list(rows, empty), _more(status, "mlflow", status.mlflow, "Open MLflow")
    )


def _tracked_run(run: TrackedRun, now: float) -> Markup:
    level, word = RUN_WORDS.get(run.status.lower(), ("off", run.status.capitalize()))
    return _item(level, word, link(run.name, run.url), run.experiment, run.started_at, run.ended_at, now)


def models(status: Status) -> Markup:
    """Show the newest model versions with their aliases."""
    rows = [_model(model, status.now) for model in status.mlflow.models[:SHOWN_ROWS]]
    empty = _silence(status, "mlflow", status.mlflow, "No model is registered yet.")
    return panel("models", "Model versions", _list(rows, empty))


def _model(model: ModelVersion, now: float) -> Markup:
    aliases = join(*(tag("span", f"@{alias}", class_="alias") for alias in model.aliases))
    version = tag("span", f"version {model.version}", class_="sub")
    what = tag("span", link(model.name, model.url), version, class_="what")
    when = tag("span", distance(model.created_at, now), class_="when")
    return tag("li", what, tag("span", aliases, class_="aliases"), when, class_="item model")


def _item(
    level: str,
    word: str,
    title: Markup,
    sub: str,
    started_at: float | None,
    ended_at: float | None,
    now: float,
) -> Markup:
    what = tag("span", title, tag("span", sub, class_="sub") if sub else None, class_="what")
    took: Markup | None = None
    if started_at is not None and ended_at is not None:
        took = tag("span", wording.duration(ended_at - started_at))
    elif started_at is not None:
        took = lasting(started_at, now)
    when = tag("span", took, tag("span", distance(started_at, now), class_="sub"), class_="when")
    return tag("li", state(level, word), what, when, class_="item")


def _list(rows: Sequence[Markup], empty: str) -> Markup:
    return tag("ul", *rows, class_="items") if rows else tag("p", code(empty), class_="empty")


def _silence(status: Status, name: str, answer: AirflowFacts | MlflowFacts, nothing: str) -> str:
    """Say why a list is empty: there is nothing, or nobody has answered yet."""
    if answer.answered_at is not None:
        return nothing
    if answer.error:
        return "No answer so far."
    if _borrowed(status, name) is not None:
        return "Waiting for the first answer…"
    row = next((row for row in status.services if row.name == name), None)
    if row is None or row.state in {"failed", "stopped"}:
        return "Not running, so there is nothing to show."
    return "Waiting for the first answer…"


def _more(status: Status, name: str, answer: AirflowFacts | MlflowFacts, label: str) -> Markup | None:
    """Link to the whole list; when the service is silent, say how old this one is instead."""
    row = next((row for row in status.services if row.name == name), None)
    borrowed = _borrowed(status, name)
    url = borrowed.url if borrowed is not None else row.url if row is not None else None
    reachable = borrowed is not None or (row is not None and row.state in REACHABLE)
    if reachable and not answer.error:
        return link("Open", url, class_="open", aria_label=label) if url and is_web(url) else None
    if answer.answered_at is None:
        return None
    return tag("span", "as seen ", distance(answer.answered_at, status.now), class_="muted old")


def _borrowed(status: Status, service: str) -> BorrowedServer | None:
    name = SERVICES_STAND_IN.get(service, service)
    return next((server for server in status.foreign if server.name == name), None)


def borrowed(status: Status) -> Markup | None:
    """Show the servers that are not ours, and what we cannot promise there."""
    if not status.foreign:
        return None
    rows = [tag("li", *_borrowed_server(server), class_="item borrowed") for server in status.foreign]
    return panel("foreign", "Not ours", tag("ul", *rows, class_="items"))


def _borrowed_server(server: BorrowedServer) -> list[Markup]:
    level, word = BORROWED_WORDS.get(server.state, ("off", server.state))
    address = link(urlsplit(server.url).netloc, server.url) if is_web(server.url) else join(server.url)
    version = tag("span", f"version {server.version}", class_="sub") if server.version else None
    lost = tag("ul", *(tag("li", code(sentence)) for sentence in server.lost), class_="lost")
    what = tag("span", tag("strong", server.title), " ", address, version, class_="what")
    return [state(level, word), what, lost]


def panel(name: str, title: str, content: Markup, more: Markup | None = None) -> Markup:
    """Frame a part of the page under a heading."""
    head = tag("div", tag("h2", title, id=f"{name}-title"), more, class_="head")
    return tag("section", head, content, id=name, class_="panel", aria_labelledby=f"{name}-title")


def state(level: str, word: str) -> Markup:
    """Show a state: a dot for the eye, a word for everybody."""
    return tag("span", tag("i", class_="dot", aria_hidden="true"), word, class_="state", data_level=level)


def bar(value: float, limit: float | None, *, over: bool) -> Markup | None:
    """Draw how much of a limit is used; the numbers stand beside it as text."""
    if not limit:
        return None
    width = round(min(BAR_UNITS, value / limit * BAR_UNITS))
    track = tag("rect", width=BAR_UNITS, height=1, class_="track")
    fill = tag("rect", width=width, height=1, class_="fill")
    return tag(
        "svg",
        track,
        fill,
        viewBox=f"0 0 {BAR_UNITS} 1",
        preserveAspectRatio="none",
        class_="bar over" if over else "bar",
        aria_hidden="true",
    )


def lasting(since: float, now: float) -> Markup:
    """Say for how long; page.js lets it tick."""
    return _time(since, wording.duration(round(now - since)), "lasting")


def distance(at: float | None, now: float) -> Markup:
    """Say how long ago; page.js lets it tick."""
    return Markup() if at is None else _time(at, wording.ago(now - at), "ago")


def _time(at: float, said: str, kind: str) -> Markup:
    try:
        iso = datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return join(said)
    return tag("time", said, datetime=iso, data_at=f"{at:.0f}", data_say=kind)

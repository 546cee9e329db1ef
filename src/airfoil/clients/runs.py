"""Which MLflow run belongs to a DAG run or a task: one for each key, whoever asks, however often, from wherever.

A run is made as a candidate that says where it comes from and no more, then claimed: its id is written into a
write-once cell. Only the winner gets the other tags, among them the key's digest, by which it is found next time; a
loser deletes its own candidate, and one whose maker died goes when that task is over. Whoever finds a claim
whose winner has died goes on with that run. A run that may not be continued (its fingerprint differs, or a person has
deleted it) is superseded: the key has a next generation, with a cell of its own. Nothing is logged here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from airfoil.clients import claims as ledger
from airfoil.clients.claims import CANDIDATE_TAG, Claims, claim_cell, read_cells
from airfoil.clients.exchange import API, Exchange, get, pause, post
from airfoil.clients.experiments import experiment_id, experiment_ids
from airfoil.clients.run_info import (
    CLAIMS_TAG,
    ERROR_TAG,
    FINGERPRINT_TAG,
    FIRST_TRY,
    GENERATION_TAG,
    KEY_TAG,
    PARENT_TAG,
    REASON_TAG,
    RUNNING,
    SUPERSEDED_BY_TAG,
    SUPERSEDES_TAG,
    URL_TAG,
    Attempt,
    RunInfo,
    set_tags,
    tag_rows,
)
from airfoil.clients.run_keys import RunKey
from airfoil.clients.tries import TRIES_TAG, begin_try, read_tries, write_tries
from airfoil.errors import ConfigurationError, NotFoundError

__all__ = [
    "CLAIMS_TAG",
    "ERROR_TAG",
    "FINGERPRINT_TAG",
    "FIRST_TRY",
    "GENERATION_TAG",
    "KEY_TAG",
    "PARENT_TAG",
    "REASON_TAG",
    "SUPERSEDED_BY_TAG",
    "SUPERSEDES_TAG",
    "Attempt",
    "RunInfo",
    "Runs",
]

OPEN, WON = "open", "won"  # values of the candidate tag

KILLED = "KILLED"
PAGE = 500
CHUNK = 200  # experiments in one search
PATIENCE = (0.2, 0.4, 0.8)  # seconds that a winner is given to confirm itself

_OWN = frozenset(
    {
        GENERATION_TAG,
        SUPERSEDES_TAG,
        SUPERSEDED_BY_TAG,
        KEY_TAG,
        CANDIDATE_TAG,
        REASON_TAG,
        ERROR_TAG,
        TRIES_TAG,
    }
) | {"mlflow.runName"}


@dataclass(frozen=True)
class _Bid:
    """Who stands for which key, with what: the anchor's id where it is known, and the run that is to be superseded."""

    key: RunKey
    home: str
    tags: Mapping[str, str]
    anchor: str = ""
    attempt: Attempt | None = None
    old: RunInfo | None = None
    generation: int = 0

    @property
    def fingerprint(self) -> str:
        return self.tags.get(FINGERPRINT_TAG, "")


class Runs:
    """The runs of one server, found and made by key.

    Every method is an exchange: carry it out with `MlflowHttp.do`, or await it with `MlflowAsyncHttp.do`.
    """

    def __init__(self, claims: Claims | None = None, clock: Callable[[], float] = time.time) -> None:
        """Share the claims of a longer conversation, or begin a new one."""
        self._claims = claims or Claims()
        self._clock = clock

    def parent(
        self, key: RunKey, *, experiment: str, tags: Mapping[str, str], attempt: Attempt | None = None
    ) -> Exchange[RunInfo]:
        """Return the RUNNING run of a DAG run: found, else made in the experiment of this name; tags are set on it.

        The first to ask decides the experiment. A parent that was closed (a task was cleared) is opened again.
        """
        key = key.parent
        home = yield from experiment_id(experiment)
        found = yield from self._found(key, home)
        tags = {**key.tags(), **tags}
        if found is not None:
            return (yield from self._reopen(found, tags if attempt else {}, attempt))
        anchor = yield from self._claims.anchor_id(key.anchor)
        return (yield from self._won(_Bid(key, home, {**tags, CLAIMS_TAG: anchor}, anchor, attempt)))

    def child(
        self,
        key: RunKey,
        parent: RunInfo,
        *,
        fingerprint: str,
        tags: Mapping[str, str],
        cached: str | None = None,
        attempt: Attempt | None = None,
    ) -> Exchange[RunInfo]:
        """Return the RUNNING run of a task instance, below its parent; a retry, a clear, a next worker get the same.

        `cached` is the id it had last time, if somebody remembers; it is only believed when the run says so too.
        While the fingerprint (of code and parameters, say) is the same the run is continued; else the old one is
        closed as superseded, and both name each other. A first attempt (number 1) does not look for an older run: the
        claim finds it.
        """
        found = (yield from self._cached(key, cached)) if cached else None
        if found is None and not (attempt and attempt.number == 1 and not attempt.resuming):
            found = yield from self._found(key, parent.experiment_id)
        tags = {**key.tags(), **tags, PARENT_TAG: parent.id, FINGERPRINT_TAG: fingerprint}
        if found is not None and _may_continue(found, fingerprint):
            return (yield from self._reopen(found, tags, attempt))
        anchor = parent.tags.get(CLAIMS_TAG, "")
        bid = _Bid(key, parent.experiment_id, tags, anchor, attempt)
        return (yield from self._won(_after(bid, found)))

    def supersede(self, key: RunKey, old: RunInfo) -> Exchange[RunInfo]:
        """Return a new run that takes the key over from `old`, with its tags and its open try; `old` is closed."""
        tags = {tag: value for tag, value in old.tags.items() if tag not in _OWN}
        tries = read_tries(old.tags.get(TRIES_TAG))
        if tries:
            tags[TRIES_TAG] = write_tries(tries[-1:])
        bid = _Bid(key, old.experiment_id, tags, old.tags.get(CLAIMS_TAG, ""))
        return (yield from self._won(_after(bid, old)))

    def finish(self, run_id: str, status: str, tags: Mapping[str, str] | None = None) -> Exchange[bool]:
        """Close a run as FINISHED, FAILED or KILLED, tags first; False when there is no such run (any more)."""
        return (yield from self._unless_gone(run_id, self._finish(run_id, status, tags or {})))

    def discard(self, run_id: str) -> Exchange[bool]:
        """Delete an abandoned candidate; False when it was gone. If it had won after all, its key moves on."""
        return (yield from self._unless_gone(run_id, self._discard(run_id)))

    def get(self, run_id: str) -> Exchange[RunInfo]:
        """Return what the server says about a run, deleted or not."""
        return RunInfo.read((yield from get(f"{API}/runs/get", run_id=run_id))["run"])

    def find_parent(self, key: RunKey) -> Exchange[RunInfo | None]:
        """Return the run of a DAG run, in whichever experiment it is; None when there is none. Makes nothing."""
        anchor = yield from self._claims.find(key.anchor)
        cells = (yield from read_cells(anchor)) if anchor else {}
        generation, found = 0, None
        while (cell := key.parent.cell(generation)) in cells:
            found = (yield from self._cached(key.parent, cells[cell])) or found
            generation += 1
        return found

    def running_children(self, parent_id: str) -> Exchange[list[RunInfo]]:
        """Return the RUNNING runs below a parent, those of plain `mlflow.start_run()` as well."""
        parent = yield from self.get(parent_id)
        text = f"tags.`{PARENT_TAG}` = '{parent_id}' AND attributes.status = '{RUNNING}'"
        return (yield from self._search([parent.experiment_id], text))

    def children(self, parent_id: str) -> Exchange[list[RunInfo]]:
        """Return all runs below a parent, however they stand."""
        parent = yield from self.get(parent_id)
        return (yield from self._search([parent.experiment_id], f"tags.`{PARENT_TAG}` = '{parent_id}'"))

    def running(self) -> Exchange[list[RunInfo]]:
        """Return all runs of Airflow's work that are RUNNING, of every experiment."""
        homes = yield from experiment_ids(but=ledger.EXPERIMENT)
        return (
            yield from self._search(
                homes, f"tags.`airflow.dag_id` LIKE '%' AND attributes.status = '{RUNNING}'"
            )
        )

    def abandoned_candidates(self, older_than_seconds: float) -> Exchange[list[RunInfo]]:
        """Return runs that were made this long ago for a claim and never won: their process is gone. `discard` them."""
        before = self._now_ms() - int(older_than_seconds * 1000)
        homes = yield from experiment_ids(but=ledger.EXPERIMENT)
        text = f"tags.`{CANDIDATE_TAG}` = '{OPEN}' AND attributes.start_time < {before}"
        return (yield from self._search(homes, text))

    # -- finding

    def _found(self, key: RunKey, home: str) -> Exchange[RunInfo | None]:
        """Return the newest generation of a key; an older one that was about to be closed is closed."""
        runs = yield from self._search([home], f"tags.`{KEY_TAG}` = '{key.digest}'")
        runs.sort(key=lambda run: run.generation)
        for old in runs[:-1]:
            yield from self._retire(old, runs[-1].id)
        return runs[-1] if runs else None

    def _cached(self, key: RunKey, run_id: str) -> Exchange[RunInfo | None]:
        run = yield from self._look(run_id)
        return run if run and not run.deleted and run.tags.get(KEY_TAG) == key.digest else None

    def _look(self, run_id: str) -> Exchange[RunInfo | None]:
        try:
            return (yield from self.get(run_id))
        except ConfigurationError:  # there is none, or what we were given is no id
            return None

    def _search(self, experiments: list[str], text: str) -> Exchange[list[RunInfo]]:
        found: list[RunInfo] = []
        for start in range(0, len(experiments), CHUNK):
            query = {
                "experiment_ids": experiments[start : start + CHUNK],
                "filter": text,
                "max_results": PAGE,
                "run_view_type": "ACTIVE_ONLY",
            }
            token = ""
            while True:
                answer = yield from post(
                    f"{API}/runs/search", query | ({"page_token": token} if token else {})
                )
                found += [RunInfo.read(run) for run in answer.get("runs", [])]
                token = answer.get("next_page_token", "")
                if not token:
                    break
        return found

    # -- claiming

    def _won(self, bid: _Bid) -> Exchange[RunInfo]:
        """Stand for a key, from a generation on, until a run holds it that may be continued."""
        candidate = yield from self._candidate(bid)
        while True:
            run_id = yield from self._claim(bid, candidate.id)
            if run_id == candidate.id:
                winner = yield from self._confirmed(bid, candidate)
                if winner is not None:
                    yield from self._retire(bid.old, winner.id)
                    return winner
                candidate = yield from self._candidate(bid)  # ours was deleted between two requests
            else:
                held = yield from self._holder(bid, run_id)
                if held is not None:
                    yield from self._retire(bid.old, held.id)
                    if _may_continue(held, bid.fingerprint):
                        yield from self._unless_gone(candidate.id, self._discard(candidate.id))
                        return (yield from self._reopen(held, bid.tags, bid.attempt))
                    bid = replace(bid, old=held)
            bid = replace(bid, generation=bid.generation + 1)

    def _claim(self, bid: _Bid, run_id: str) -> Exchange[str]:
        cell = bid.key.cell(bid.generation)
        if bid.anchor:
            try:
                return (yield from claim_cell(bid.anchor, cell, run_id))
            except NotFoundError:
                pass  # somebody removed the history for good; the claims of today go into a new one
        return (yield from self._claims.claim(bid.key.anchor, cell, run_id))

    def _candidate(self, bid: _Bid) -> Exchange[RunInfo]:
        request = {
            "experiment_id": bid.home,
            "run_name": bid.key.name,
            "start_time": self._now_ms(),
            # Where it comes from, and not of which try: a further one may go on with a candidate that has won.
            "tags": tag_rows({CANDIDATE_TAG: OPEN, **bid.key.tags(), **_origin(bid.tags)}),
        }
        # Sent again when its answer is lost: two candidates are no harm, one of them is found as abandoned.
        return RunInfo.read((yield from post(f"{API}/runs/create", request))["run"])

    def _holder(self, bid: _Bid, run_id: str) -> Exchange[RunInfo | None]:
        """Look at who was first, until it has confirmed itself; one that does not is dead, and is confirmed for it."""
        for seconds in (*PATIENCE, 0.0):
            held = yield from self._look(run_id)
            if held is None or held.deleted or KEY_TAG in held.tags:
                return held
            if seconds:
                yield from pause(seconds)
        return (yield from self._confirmed(bid, held)) if held else None

    def _confirmed(self, bid: _Bid, run: RunInfo) -> Exchange[RunInfo | None]:
        """Give the winner its tags; None when it was deleted meanwhile."""
        own = {KEY_TAG: bid.key.digest, GENERATION_TAG: str(bid.generation), CANDIDATE_TAG: WON}
        own |= {SUPERSEDES_TAG: bid.old.id} if bid.old else {}
        given = {**bid.tags, **own, **self._tries(run, bid.attempt)}
        done = yield from self._unless_gone(run.id, set_tags(run.id, given))
        return replace(run, tags={**run.tags, **given}) if done else None

    def _reopen(self, run: RunInfo, tags: Mapping[str, str], attempt: Attempt | None) -> Exchange[RunInfo]:
        """Make a run RUNNING again, with the tags of this try, and without the error of the last one."""
        given = {**tags, **self._tries(run, attempt)}
        if run.status != RUNNING:
            yield from post(f"{API}/runs/update", {"run_id": run.id, "status": RUNNING})
            given |= {tag: "" for tag in (ERROR_TAG, REASON_TAG) if run.tags.get(tag)}
        changed = {tag: value for tag, value in given.items() if run.tags.get(tag) != value}
        if changed:
            yield from set_tags(run.id, changed)
        return replace(run, status=RUNNING, tags={**run.tags, **given})

    def _tries(self, run: RunInfo, attempt: Attempt | None) -> dict[str, str]:
        if attempt is None:
            return {}
        tries = begin_try(
            read_tries(run.tags.get(TRIES_TAG)),
            attempt.number,
            self._now_ms(),
            resuming=attempt.resuming,
            after_ms=run.latest_point_ms,
        )
        return {TRIES_TAG: write_tries(tries), "airflow.try_number": str(attempt.number)}

    # -- closing

    def _retire(self, old: RunInfo | None, successor: str) -> Exchange[None]:
        """Close a superseded run and take the key off it; one that is deleted stays as it is."""
        if old is None or old.deleted or old.id == successor:
            return
        yield from self._unless_gone(old.id, self._retire_active(old, successor))

    def _retire_active(self, old: RunInfo, successor: str) -> Exchange[None]:
        tags = {SUPERSEDED_BY_TAG: successor, KEY_TAG: f"{old.tags.get(KEY_TAG, '')}.superseded"}
        if old.status == RUNNING:
            tags[REASON_TAG] = f"superseded by {successor}"
            yield from self._finish(old.id, KILLED, {})
        # Last, for by its key it is found again when we die in between.
        yield from set_tags(old.id, tags)

    def _finish(self, run_id: str, status: str, tags: Mapping[str, str]) -> Exchange[None]:
        if tags:
            yield from set_tags(run_id, tags)
        body = {"run_id": run_id, "status": status, "end_time": self._now_ms()}
        yield from post(f"{API}/runs/update", body)

    def _discard(self, run_id: str) -> Exchange[None]:
        yield from self._finish(run_id, KILLED, {})  # whoever looks into the bin finds nothing RUNNING
        yield from post(f"{API}/runs/delete", {"run_id": run_id})

    def _unless_gone(self, run_id: str, steps: Exchange[None]) -> Exchange[bool]:
        """Carry out steps on a run; False when they fail because somebody has deleted it."""
        try:
            yield from steps
        except ConfigurationError:
            run = yield from self._look(run_id)
            if run is None or run.deleted:
                return False
            raise
        return True

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _origin(tags: Mapping[str, str]) -> dict[str, str]:
    """Return what tells whose it is, where the tags say so."""
    return {URL_TAG: tags[URL_TAG]} if URL_TAG in tags else {}


def _after(bid: _Bid, old: RunInfo | None) -> _Bid:
    """Stand for the generation after a run that may not be continued."""
    return bid if old is None else replace(bid, old=old, generation=old.generation + 1)


def _may_continue(run: RunInfo, fingerprint: str) -> bool:
    if run.deleted:
        return False
    return SUPERSEDED_BY_TAG not in run.tags and run.tags.get(FINGERPRINT_TAG, "") == fingerprint

"""Closes MLflow runs that Airflow's work left open: of DAG runs that ended, of tasks that died, of candidates.

One round asks MLflow which runs of Airflow's work are RUNNING and, only if there are any, Airflow's database what
became of them. Several schedulers may do so at once: closing twice the same way does no harm. It writes to MLflow only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from urllib.parse import urlsplit

from airfoil.clients.claims import CANDIDATE_TAG
from airfoil.clients.mlflow_server import LOOPBACK_HOSTS
from airfoil.clients.run_info import URL_TAG
from airfoil.clients.run_keys import RunKey
from airfoil.clients.runs import OPEN, REASON_TAG, RunInfo
from airfoil.errors import ConfigurationError, ServiceRefusedError
from airfoil.provider.airflow_states import AirflowFacts, read_facts
from airfoil.provider.mlflow_places import MlflowPlace
from airfoil.provider.orphans import Closing, end_of_parent, judge, key_of

log = logging.getLogger(__name__)

GRACE_SECONDS = 20.0
"""What a task that was told to stop is given to close its run itself (Airflow kills in steps of 5 s)."""
MAX_CLOSINGS = 200
"""In one round; what is left is found by the next."""
CANDIDATE_SECONDS = 600.0
"""How often abandoned candidates are looked for; one is deleted when it was there the last time as well."""
METRIC = "airfoil.orphan_runs"
"""Among Airflow's own metrics: how many runs ought to be closed after a round, and are not."""


class Reaper:
    """Rounds over the MLflow servers of some connections, and what is remembered from one to the next."""

    def __init__(
        self,
        places: Sequence[MlflowPlace],
        *,
        seconds: float = 30.0,
        facts: Callable[[Collection[RunKey]], AirflowFacts] = read_facts,
        clock: Callable[[], float] = time.monotonic,
        own_url: str = "",
        gauge: Callable[[str, int], None] = lambda _name, _value: None,
    ) -> None:
        """Remember nothing yet; nothing is asked."""
        self._places = places
        self._seconds = seconds
        self._facts = facts
        self._clock = clock
        self._own_url = own_url
        self._gauge = gauge
        self._suspects: dict[str, float] = {}
        self._candidates: set[str] = set()
        self._refused: set[str] = set()
        self._left = 0
        self._candidates_due = clock() + CANDIDATE_SECONDS
        self._seen: frozenset[RunKey] = frozenset()

    @classmethod
    def from_configuration(cls) -> Reaper:
        """Read Airflow's configuration: `[airfoil] mlflow_conn_ids` and `reaper_seconds`."""
        from airflow.configuration import conf
        from airflow.observability.stats import gauge

        named = conf.get("airfoil", "mlflow_conn_ids", fallback="") or "mlflow_default"
        return cls(
            [MlflowPlace(one) for one in dict.fromkeys(part.strip() for part in named.split(",")) if one],
            seconds=max(0.0, conf.getfloat("airfoil", "reaper_seconds", fallback=30.0)),
            own_url=conf.get("api", "base_url", fallback="") or "",
            gauge=gauge,
        )

    def pause_seconds(self) -> float:
        """How long to wait until the next round, less while a run is about to be closed; 0: no rounds."""
        return min(self._seconds, GRACE_SECONDS) if self._suspects else self._seconds

    def round(self) -> None:
        """Look at every RUNNING run of Airflow's work, and close those that nobody else will."""
        suspects: dict[str, float] = {}
        seen: set[RunKey] = set()
        candidates = self._candidates_now_due()
        heard, self._left = False, 0
        for place in self._usable():
            try:
                runs = place.do(place.runs.running())
                facts = self._facts_of(runs)
                suspects |= self._close(place, runs, facts)
                seen |= {
                    key.parent
                    for key in _keys(runs)
                    if key.parent in facts.dag_runs or key.parent in self._seen
                }
                if candidates is not None:
                    candidates |= self._discard_candidates(place)
                place.went_well()
                heard = True
            except Exception as error:  # noqa: BLE001 - one server's trouble is not the others', and not Airflow's
                place.failed(error)
        self._suspects = suspects
        self._seen = frozenset(seen)
        if heard:  # otherwise nobody knows
            self._gauge(METRIC, len(suspects) + self._left)
        if candidates is not None:
            self._candidates = candidates

    def settle(self, ended: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Close what belongs to DAG runs that ended; return those that are worth another look a little later."""
        keys = {RunKey(*one) for one in ended}
        unsettled: set[RunKey] = set()
        for place in self._usable():
            try:
                unsettled |= self._settle_at(place, keys)
                place.went_well()
            except Exception as error:  # noqa: BLE001 - as above; rounds find what is left
                place.failed(error)
        return {(key.dag_id, key.run_id) for key in unsettled}

    def _usable(self) -> Iterable[MlflowPlace]:
        return (place for place in self._places if place.usable)

    def _settle_at(self, place: MlflowPlace, keys: set[RunKey]) -> set[RunKey]:
        runs = [
            run for run in place.do(place.runs.running()) if (key := key_of(run.tags)) and key.parent in keys
        ]
        facts = self._facts({*keys, *_keys(runs)})
        left = {key for key in keys if (fact := facts.dag_runs.get(key)) is not None and not fact.ended}
        suspects = self._close(place, runs, facts)
        self._suspects |= suspects
        left |= {key.parent for run in runs if run.id in suspects and (key := key_of(run.tags))}
        for key in keys - left:
            fact = facts.dag_runs.get(key)
            if fact is not None and fact.was_cleared:
                self._correct(place, key, end_of_parent(fact))
        return left

    def _correct(self, place: MlflowPlace, key: RunKey, closing: Closing | None) -> None:
        """Give a parent that was closed before its DAG run was cleared the status of the last end."""
        parent = place.do(place.runs.find_parent(key))
        if parent is not None and closing is not None and parent.status not in {"RUNNING", closing.status}:
            self._finish(place, parent, closing)

    def _facts_of(self, runs: Sequence[RunInfo]) -> AirflowFacts:
        keys = set(_keys(runs))
        return self._facts(keys) if keys else AirflowFacts()

    def _close(self, place: MlflowPlace, runs: Sequence[RunInfo], facts: AirflowFacts) -> dict[str, float]:
        """Close what can be closed; return what is to be looked at again, and since when it has been so."""
        suspects: dict[str, float] = {}
        closings = 0
        now = self._clock()
        for run in runs:
            closing = self._judge(run, facts)
            if closing is None:
                continue
            since = self._suspects.get(run.id, now)
            if closings >= MAX_CLOSINGS or not (closing.sure or now - since >= GRACE_SECONDS):
                suspects[run.id] = since
                continue
            closings += 1
            self._finish(place, run, closing)
        return suspects

    def _judge(self, run: RunInfo, facts: AirflowFacts) -> Closing | None:
        key = key_of(run.tags)
        if key is None or self._is_foreign(run.tags):
            return None
        was_here = key.parent in self._seen or self._is_ours(run.tags)
        return judge(
            run.tags,
            facts.dag_runs.get(key.parent),
            facts.tasks.get(key),
            grace_seconds=GRACE_SECONDS,
            was_here=was_here,
        )

    def _finish(self, place: MlflowPlace, run: RunInfo, closing: Closing) -> None:
        is_candidate = run.tags.get(CANDIDATE_TAG) == OPEN  # nobody ever logged to it
        try:
            if is_candidate:
                place.do(place.runs.discard(run.id))
            else:
                place.do(place.runs.finish(run.id, closing.status, {REASON_TAG: closing.reason}))
        except (
            ConfigurationError,
            ServiceRefusedError,
        ) as error:  # this run only: we may not write to it, say
            if run.id not in self._refused:
                log.warning("MLflow run %s cannot be closed as %s: %s", run.id, closing.status, error)
            self._refused.add(run.id)
            self._left += 1
        else:
            how = "deleted" if is_candidate else f"closed as {closing.status}"
            log.info("MLflow run %s %s: %s", run.id, how, closing.reason)

    # -- candidates

    def _candidates_now_due(self) -> set[str] | None:
        if self._clock() < self._candidates_due:
            return None
        self._candidates_due = self._clock() + CANDIDATE_SECONDS
        return set()

    def _discard_candidates(self, place: MlflowPlace) -> set[str]:
        """Delete what was there the last time as well; return what was found for the first time.

        Two looks, because the server's clock runs on while a laptop sleeps between making a candidate and its claim.
        """
        fresh = set()
        for run in place.do(place.runs.abandoned_candidates(CANDIDATE_SECONDS))[:MAX_CLOSINGS]:
            if run.id in self._candidates:
                place.do(place.runs.discard(run.id))
                log.info(
                    "MLflow run %s deleted: it was made for a task that died before it could use it", run.id
                )
            else:
                fresh.add(run.id)
        return fresh

    # -- several Airflows at one MLflow

    def _is_ours(self, tags: Mapping[str, str]) -> bool:
        return _is_public(self._own_url) and _origin(tags.get(URL_TAG, "")) == _origin(self._own_url)

    def _is_foreign(self, tags: Mapping[str, str]) -> bool:
        theirs = tags.get(URL_TAG, "")
        return _is_public(theirs) and _is_public(self._own_url) and _origin(theirs) != _origin(self._own_url)


def _keys(runs: Iterable[RunInfo]) -> list[RunKey]:
    return [key for run in runs if (key := key_of(run.tags)) is not None]


def _origin(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return (parts.hostname or "", parts.port)


def _is_public(url: str) -> bool:
    """Whether an address means the same to everybody; `localhost` is another Airflow on every machine."""
    return _origin(url)[0] not in {"", "0.0.0.0", *LOOPBACK_HOSTS}  # noqa: S104 - compared, not listened on

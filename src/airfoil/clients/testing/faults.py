"""What goes wrong with the fake server on request: refusals, absence, slowness, lost answers, and interruptions.

Paths are those of `FakeMlflow.calls` ("mlflow/runs/create"); `*` stands for anything. Must not wait: a slow answer
costs no time, it only fails the client whose patience is shorter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import httpx

GONE = "Server disconnected without sending a response."


@dataclass
class _Rule:
    """Something that happens to the next requests of a path."""

    path: str
    left: int
    response: httpx.Response | None = None
    do: Callable[[], object] | None = None


@dataclass
class Faults:
    """The faults of one fake server."""

    fail: dict[str, httpx.Response] = field(default_factory=dict)
    """Paths that always answer this."""
    away: bool = False
    """Whether nobody answers at all."""
    delay_seconds: float = 0.0
    """How long every answer takes."""
    _refused: list[_Rule] = field(default_factory=list)
    _lost: list[_Rule] = field(default_factory=list)
    _interrupted: list[_Rule] = field(default_factory=list)

    def fail_next(
        self, path: str, status: int = 503, *, times: int = 1, code: str = "TEMPORARILY_UNAVAILABLE"
    ) -> None:
        """Answer the next requests of a path with an error, carrying nothing out."""
        refusal = httpx.Response(status, json={"error_code": code, "message": "told to fail"})
        self._refused.append(_Rule(path, times, response=refusal))

    def lose_answer(self, path: str, *, times: int = 1) -> None:
        """Carry the next requests of a path out, and break the connection before answering."""
        self._lost.append(_Rule(path, times))

    def meanwhile(self, path: str, do: Callable[[], object]) -> None:
        """Call a function just before the next request of a path is carried out: what somebody else did in between."""
        self._interrupted.append(_Rule(path, 1, do=do))

    def before(self, path: str, request: httpx.Request) -> httpx.Response | None:
        """Let happen what comes before a request is carried out; return the answer when it never is."""
        if self.away:
            raise httpx.ConnectError("[Errno 111] Connection refused", request=request)
        interruption = _take(self._interrupted, path)
        if interruption and interruption.do:
            interruption.do()
        if path in self.fail:
            return self.fail[path]
        refused = _take(self._refused, path)
        return refused.response if refused else None

    def after(self, path: str, request: httpx.Request) -> None:
        """Let happen what comes after a request was carried out."""
        if _take(self._lost, path):
            raise httpx.RemoteProtocolError(GONE, request=request)
        patience = request.extensions.get("timeout", {}).get("read")
        if patience is not None and self.delay_seconds > patience:
            raise httpx.ReadTimeout("timed out", request=request)


def _take(rules: list[_Rule], path: str) -> _Rule | None:
    for rule in rules:
        if fnmatchcase(path, rule.path):
            rule.left -= 1
            if rule.left <= 0:
                rules.remove(rule)
            return rule
    return None

"""Exchanges that are carried out request by request, so that others can act, or a process can die, in between."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airfoil.clients.mlflow_http import MlflowHttp


class Conversation:
    """An exchange that is carried out request by request, so that others can act in between."""

    def __init__(self, http: MlflowHttp, exchange: Any) -> None:
        self._http = http
        self._exchange = exchange
        self._answer: Any = None
        self._failure: Exception | None = None
        self.result: Any = None
        self.error: Exception | None = None
        self.over = False
        self.steps: list[Any] = []
        self._next: Any = None
        self._advance()

    @property
    def next_step(self) -> Any:
        """What it does next."""
        return self._next

    def step(self) -> None:
        """Carry out its next request."""
        self._answer = self._failure = None
        try:
            self._answer = self._http.do(_single(self._next))
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to the conversation
            self._failure = error
        self.steps.append(self._next)
        self._advance()

    def finish(self) -> Any:
        """Carry out all that is left; its result."""
        while not self.over:
            self.step()
        if self.error is not None:
            raise self.error
        return self.result

    def _advance(self) -> None:
        try:
            if self._failure is not None:
                self._next = self._exchange.throw(self._failure)
            else:
                self._next = self._exchange.send(self._answer)
        except StopIteration as done:
            self.over, self.result = True, done.value
        except Exception as error:  # noqa: BLE001 - as above; `finish` raises it
            self.over, self.error = True, error


def _single(step: Any) -> Iterator[Any]:
    return (yield step)


def step_by_step(http: MlflowHttp, exchange: Any, results: list[Any]) -> Iterator[Any]:
    """Give way after each request; the result is put into a list."""
    conversation = Conversation(http, exchange)
    while not conversation.over:
        step = conversation.next_step
        conversation.step()
        yield step
    results.append(conversation.finish())

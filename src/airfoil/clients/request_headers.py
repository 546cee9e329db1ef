"""Keep Feast out of a process that only talks to MLflow.

Feast registers with MLflow as a provider of request headers, and MLflow loads all of them at a process's first request:
four seconds of processor time for Feast. It has a header only within its own calls, so it may come when it is there.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.metadata import EntryPoint
from typing import Any

from airfoil.clients.arrivals import on_arrival

_PLUGINS = "mlflow.utils.plugins"
_PROVIDERS = "mlflow.request_header_provider"
_FEAST = "feast"


@contextmanager
def headers_without_feast() -> Iterator[None]:
    """In the block MLflow asks Feast for headers only once somebody else has imported Feast's module of them."""
    with on_arrival(_PLUGINS, _defer):
        yield


def _defer(plugins: Any) -> Callable[[], None]:
    original = plugins.get_entry_points

    def get_entry_points(group: str) -> Any:
        found = original(group)
        if group != _PROVIDERS:
            return found
        return [_Deferred(one) if one.module.partition(".")[0] == _FEAST else one for one in found]

    plugins.get_entry_points = get_entry_points

    def undo() -> None:
        plugins.get_entry_points = original

    return undo


class _Deferred:
    """An entry point that is loaded later than MLflow thinks."""

    def __init__(self, entry_point: EntryPoint) -> None:
        self.name = entry_point.name
        self._entry_point = entry_point

    def load(self) -> Callable[[], _Headers]:
        """What makes the provider."""
        return partial(_Headers, self._entry_point)


class _Headers:
    """A provider that has nothing to say until its module is there."""

    def __init__(self, entry_point: EntryPoint) -> None:
        self._entry_point = entry_point
        self._provider: Any = None

    def in_context(self) -> bool:
        """Whether there are headers, as MLflow asks before each request."""
        module = sys.modules.get(self._entry_point.module)
        if self._provider is None and module is not None:
            self._provider = getattr(module, self._entry_point.attr)()
        return self._provider is not None and bool(self._provider.in_context())

    def request_headers(self) -> dict[str, str]:
        """The provider's own."""
        headers: dict[str, str] = self._provider.request_headers()
        return headers

"""Do something to a module as soon as it is there, without importing it, and take it back after a block.

Must not know which modules these are.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


@contextmanager
def on_arrival(name: str, enter: Callable[[ModuleType], Callable[[], None]]) -> Iterator[None]:
    """Call `enter` with the module now, or when somebody imports it in the block; at the end, what `enter` returned."""
    undo: list[Callable[[], None]] = []
    arrival = _Arrival(name, lambda module: undo.append(enter(module)))
    if name in sys.modules:
        undo.append(enter(sys.modules[name]))
    else:
        sys.meta_path.insert(0, arrival)
    try:
        yield
    finally:
        with suppress(ValueError):  # it takes itself out when the module arrives
            sys.meta_path.remove(arrival)
        for step in undo:
            step()


class _Arrival(MetaPathFinder):
    """Tells when a module has been imported."""

    def __init__(self, name: str, tell: Callable[[ModuleType], None]) -> None:
        self._name = name
        self._tell = tell

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        if spec is not None and spec.loader is not None:
            carry_out, tell = spec.loader.exec_module, self._tell

            def exec_module(module: ModuleType) -> None:
                carry_out(module)
                tell(module)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec

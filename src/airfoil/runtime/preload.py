"""The pre-loaded parent: imports Airflow and MLflow once and forks services that share that memory.

The manager holds the other end of one inherited socket (`--channel FD`) and sends one JSON object a line:
`{"start": NAME, "layer": L, "module": M, "arguments": [...], "environment": {...}, "log": PATH}`. The answer is
`{"started": NAME, "pid": N}` or `{"refused": NAME, "reason": "..."}`. A service is forked twice, so that its parent is
not this process but the manager, which therefore sees it end; this process may die and be replaced while the services
run on. When the manager goes, the socket closes and this process ends. In idle moments the next module is imported.

It must stay free of threads of its own: a fork copies only the thread that forks.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from typing import Any

from airfoil.runtime import EXIT_UNSUPPORTED


class Layers:
    """Modules to import, layer by layer and one at a time; what is missing is skipped and remembered."""

    def __init__(self, layers: list[tuple[str, list[str]]]) -> None:
        self._waiting = deque((layer, module) for layer, modules in layers for module in modules)
        self._order = [layer for layer, _ in layers]
        self.skipped: dict[str, str] = {}
        self._frozen = False

    @property
    def complete(self) -> bool:
        """Nothing is left to import."""
        return not self._waiting

    def load_next(self) -> None:
        """Import one module."""
        _, module = self._waiting.popleft()
        self._frozen = False
        try:
            importlib.import_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - any failure of a library only makes starts slower
            self.skipped[module] = f"{type(error).__name__}: {error}"
            print(f"preload: skipped {module}: {self.skipped[module]}", file=sys.stderr, flush=True)

    def load_through(self, layer: str) -> None:
        """Import everything up to and with this layer."""
        if layer not in self._order:
            return
        last = self._order.index(layer)
        while self._waiting and self._order.index(self._waiting[0][0]) <= last:
            self.load_next()

    def freeze(self) -> None:
        """Put what exists out of the collector's sight: it must not touch, and so copy, shared pages.

        Without collecting first: imports leave 4 MiB of garbage, and finding it takes a second that services wait for.
        """
        if not self._frozen:
            gc.freeze()
            self._frozen = True


def serve(channel: socket.socket, layers: Layers) -> None:
    """Answer requests until the manager goes; import between them."""
    selector = selectors.DefaultSelector()
    selector.register(channel, selectors.EVENT_READ)
    pending = b""
    announced = False
    while True:
        if not selector.select(timeout=None if layers.complete else 0):
            layers.load_next()
            if layers.complete:
                layers.freeze()
            continue
        chunk = channel.recv(65536)
        if not chunk:
            return
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            request = json.loads(line)
            layers.load_through(request.get("layer", ""))
            layers.freeze()
            if not announced:
                announced = True
                _send(channel, {"threads": threading.active_count(), "modules": len(sys.modules)})
            if "start" in request:
                _send(channel, _start(request, channel))


def _send(channel: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        channel.sendall(json.dumps(message).encode() + b"\n")


def _start(request: dict[str, Any], channel: socket.socket) -> dict[str, Any]:
    if threading.active_count() != 1:
        return {
            "refused": request["start"],
            "reason": "an imported library started a thread; forking is not safe",
        }
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        status = 1
        try:
            os.close(reader)
            os.setsid()
            pid = os.fork()
            if pid == 0:
                os.close(writer)
                channel.close()
                _become(request)
            os.write(writer, str(pid).encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        text = answer.read().decode()
    os.waitpid(middle, 0)
    if not text:
        return {"refused": request["start"], "reason": "could not fork"}
    return {"started": request["start"], "pid": int(text)}


def _become(request: dict[str, Any]) -> None:
    """In the grandchild: turn into `python -m MODULE ARGUMENTS` with its own session, log and environment."""
    code = 1
    try:
        os.setsid()
        log = os.open(request["log"], os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, 256)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.environ.update(request["environment"])
        gc.enable()
        numpy_random = sys.modules.get("numpy.random")
        if numpy_random is not None:
            numpy_random.seed()
        _title(request["start"])
        sys.argv = [request["module"], *request["arguments"]]
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except ModuleNotFoundError:
        traceback.print_exc()
        code = EXIT_UNSUPPORTED
    except BaseException:  # noqa: BLE001 - whatever it was, it belongs into this service's log
        traceback.print_exc()
    finally:
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - as the interpreter does at its end
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _title(name: str) -> None:
    with contextlib.suppress(ImportError):
        from setproctitle import setproctitle

        setproctitle(f"airfoil {name}")


def main() -> None:
    """Entry point: `--channel FD --layer NAME=module,module`."""
    parser = argparse.ArgumentParser(prog="airfoil.runtime.preload", description=__doc__)
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--layer", action="append", default=[])
    options = parser.parse_args()
    layers = []
    for text in options.layer:
        name, _, modules = text.partition("=")
        layers.append((name, [module for module in modules.split(",") if module]))
    gc.disable()
    began = time.monotonic()
    _title("preload")
    with socket.socket(fileno=options.channel) as channel:
        serve(channel, Layers(layers))
    print(f"preload: the manager is gone after {time.monotonic() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()

"""The manager's end of the pre-loaded parent: start it, ask it for services, read its answers.

One socket pair, inherited at start, carries one JSON object a line. Nothing of the parent's code is imported here.
"""

from __future__ import annotations

import json
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from airfoil.stack.service import Service


class PreloadedParent:
    """A running parent and what has been asked of it."""

    def __init__(self, channel: socket.socket, pid: int) -> None:
        self.channel = channel
        self.pid = pid
        self.asked: set[str] = set()
        self._pending = b""

    @classmethod
    def launch(
        cls,
        service: Service,
        layers: Mapping[str, tuple[str, ...]],
        spawn: Callable[[tuple[str, ...], tuple[int, ...]], int],
    ) -> PreloadedParent:
        """Start the parent with one end of a new socket pair."""
        ours, theirs = socket.socketpair()
        arguments: list[str] = [*service.argv, "--channel", str(theirs.fileno())]
        for layer, modules in layers.items():
            arguments += ["--layer", f"{layer}={','.join(modules)}"]
        try:
            pid = spawn(tuple(arguments), (theirs.fileno(),))
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        return cls(ours, pid)

    def ask(self, service: Service) -> bool:
        """Ask for a service; False when the parent is gone."""
        request = {
            "start": service.name,
            "layer": service.stage,
            "module": service.module,
            "arguments": list(service.argv[3:]),
            "environment": dict(service.env),
            "log": service.log,
        }
        try:
            self.channel.setblocking(True)
            self.channel.sendall(json.dumps(request).encode() + b"\n")
        except OSError:
            return False
        finally:
            with suppress(OSError):
                self.channel.setblocking(False)
        self.asked.add(service.name)
        return True

    def answers(self) -> list[dict[str, Any]]:
        """What has arrived since the last look; an empty list also when the parent is gone."""
        with suppress(OSError):
            while chunk := self.channel.recv(65536):
                self._pending += chunk
        *lines, self._pending = self._pending.split(b"\n")
        found = [json.loads(line) for line in lines]
        for answer in found:
            self.asked.discard(answer.get("started") or answer.get("refused") or "")
        return found

    def close(self) -> None:
        """Let go of it; it ends by itself when its socket closes."""
        self.channel.close()

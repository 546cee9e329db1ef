"""A machine without a network: a namespace with loopback alone, and a name server that writes down every question.

Run as a program inside the namespace it is that name server: `offline.py ANSWERS_FILE`.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

INSIDE = """
set -e
ip link set lo up
mount --bind {resolver} /etc/resolv.conf
{python} {server} {asked} &
server=$!
while [ ! -s {asked} ]; do sleep 0.05; done
set +e
{command}
code=$?
{finally_}
kill $server
exit $code
"""


def why_not() -> str:
    """Why no namespace can be made here; empty when one can."""
    try:
        done = subprocess.run(
            ["unshare", "-rnm", "sh", "-c", "ip link set lo up && mount --bind /dev/null /etc/resolv.conf"],
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return "no `unshare` on this machine (`apt-get install util-linux`)"
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""


def run_offline(
    command: str, folder: Path, notes: Path, environment: Mapping[str, str], *, finally_: str = "true"
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a shell command without a network; what became of it, and the names that anybody asked for."""
    resolver, asked = notes / "resolv.conf", notes / "asked"
    resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    script = INSIDE.format(
        resolver=shlex.quote(str(resolver)),
        python=shlex.quote(sys.executable),
        server=shlex.quote(__file__),
        asked=shlex.quote(str(asked)),
        command=command,
        finally_=finally_,
    )
    done = subprocess.run(
        ["unshare", "-rnm", "sh", "-c", script],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    return done, asked.read_text(encoding="utf-8").splitlines()[1:]


def name_in(question: bytes) -> str:
    """The name that a DNS message asks for."""
    labels, place = [], 12
    while question[place]:
        labels.append(question[place + 1 : place + 1 + question[place]].decode(errors="replace"))
        place += 1 + question[place]
    return ".".join(labels)


def serve(answers: Sequence[str]) -> None:
    """Say of every name that it does not exist, and write it down."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        Path(answers[0]).open("w", encoding="utf-8", buffering=1) as file,
    ):
        server.bind(("127.0.0.1", 53))
        print("listening", file=file)
        while True:
            question, client = server.recvfrom(4096)
            with contextlib.suppress(IndexError):
                print(name_in(question), file=file)
            server.sendto(
                question[:2] + b"\x81\x83" + question[4:6] + b"\0\0\0\0\0\0" + question[12:], client
            )


if __name__ == "__main__":
    serve(sys.argv[1:])

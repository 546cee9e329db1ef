"""Asks this machine about one port: may we listen there, and if not, who does.

Opens sockets for a moment and sends nothing. Must not choose a port, and must not import pydantic or Airflow.
"""

import contextlib
import errno
import os
import socket
import sys
from collections.abc import Collection

import psutil

from airfoil.stack.process import STACK_MARK

_CONNECT_TIMEOUT_SECONDS = 0.2


def blocked_by(host: str, port: int) -> OSError | None:
    """Return what stops us from listening on `host` and `port` now, None when nothing does.

    Binds as our servers do (with SO_REUSEADDR, or closed connections of an earlier start would block the port for a
    minute), on every address of a name: who opens `localhost` must not reach somebody else's server.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        return OSError(errno.EADDRNOTAVAIL, str(error))
    problems = [_bind_problem(family, address) for family, _, _, _, address in addresses]
    # A machine without IPv6 still says that `localhost` is ::1 too.
    absent = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
    real = [problem for problem in problems if problem and problem.errno not in absent]
    if real:
        return real[0]
    if all(problems):
        return problems[0]
    # Elsewhere a bind succeeds beside a server that listens on all addresses, such as AirPlay on macOS with *:5000.
    if sys.platform != "linux" and _answers(host, port):
        return OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    return None


def _bind_problem(family: int, address: tuple[object, ...]) -> OSError | None:
    """Return why a server cannot bind to one address."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _answers(host: str, port: int) -> bool:
    """Tell whether a server accepts connections there."""
    try:
        socket.create_connection((host, port), timeout=_CONNECT_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def listeners(port: int) -> list[psutil.Process]:
    """Return the processes that listen on `port`, on any address, as far as we may see them."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return []  # macOS shows the connections of other processes to root alone
    found = []
    for connection in connections:
        # The local address is an empty tuple for sockets that have none.
        if connection.status == psutil.CONN_LISTEN and connection.pid and connection.laddr:
            if connection.laddr[1] != port:
                continue
            with contextlib.suppress(psutil.Error):
                found.append(psutil.Process(connection.pid))
    return found


def owner_of(port: int) -> psutil.Process | None:
    """Return the process that listens on `port`, None when it is hidden from us or gone."""
    return next(iter(listeners(port)), None)


def explain_taken(host: str, port: int) -> str:
    """Return why a port cannot be opened, as the end of a sentence that began with the port."""
    problem = blocked_by(host, port)
    if problem is not None and problem.errno == errno.EACCES:
        return "may be opened by root only"
    if problem is not None and problem.errno == errno.EADDRNOTAVAIL:
        return f"cannot be opened, because {host} is not an address of this machine"
    owner = owner_of(port)
    if owner is not None:
        with contextlib.suppress(psutil.Error):
            return f"is in use by {named(owner)}"
    return "is in use by a program that you may not see (another user's, or a container's)"


def named(owner: psutil.Process) -> str:
    """Return a process's name and id."""
    # Some servers make their process name a whole sentence: "airflow api_server -- host:... port:...".
    return f"{owner.name().partition(' -- ')[0]} (process {owner.pid})"


def stranger_on(port: int, ours: Collection[int]) -> str:
    """Return who listens on `port` when we see somebody there and none of them is one of `ours`; else nothing."""
    seen = listeners(port)
    if any(process.pid in ours for process in seen):
        return ""
    for process in seen:
        with contextlib.suppress(psutil.Error):
            return named(process)
    return ""


def owned_by_stack(port: int, stack_id: str) -> bool:
    """Tell whether the process that listens on `port` carries the mark of the stack `stack_id`."""
    owner = owner_of(port) if stack_id else None
    if owner is None:
        return False
    try:
        return owner.environ().get(STACK_MARK) == stack_id
    except (psutil.Error, OSError):
        return False

"""A private git repository with DAG files: a working copy, and a server that wants a token."""

from __future__ import annotations

import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

TOKEN = "read-only-4711"
DAG = """from airflow.sdk import dag, task

@dag(schedule=None, description="{description}")
def {name}():
    @task
    def work(): ...
    work()

{name}()
"""


class Private(SimpleHTTPRequestHandler):
    """A repository that is read with a token."""

    def do_GET(self):
        wanted = "Basic " + base64.b64encode(f"oauth2:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, *_given):
        """Be silent."""


class Repository:
    """A working copy, and the bare repository that is served."""

    def __init__(self, folder):
        self.work, self.bare = folder / "work", folder / "flows.git"
        (self.work / "flows").mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("init", "--quiet", "--bare", str(self.bare))

    def git(self, *words):
        who = ("-c", "user.name=T", "-c", "user.email=t@example.com")
        return subprocess.run(
            ["git", *who, *words], cwd=self.work, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, name, description, text=""):
        text = text or DAG.format(name=name, description=description)
        (self.work / "flows" / f"{name}.py").write_text(text, encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "--quiet", "-m", description)
        self.git("push", "--quiet", str(self.bare), "main")
        subprocess.run(["git", "update-server-info"], cwd=self.bare, check=True)
        return self.git("rev-parse", "HEAD")


@contextmanager
def served(repository: Repository, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve it at an address of this machine; the repository's own address."""
    handler = partial(Private, directory=str(repository.bare.parent))
    with ThreadingHTTPServer((host, 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_address[1]}/flows.git"
        server.shutdown()

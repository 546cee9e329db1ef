"""Small real packages, and a package index of our own on loopback: for tests that must not depend on the world."""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def build_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    code: str = "",
    entry_points: str = "",
) -> Path:
    """Write the wheel of a package with one module, which knows its VERSION."""
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    metadata = [
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}",
        *(f"Requires-Dist: {one}" for one in requires),
    ]
    files = {
        f"{module}.py": f"VERSION = {version!r}\n{code}",
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        **({f"{info}/entry_points.txt": entry_points} if entry_points else {}),
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


class PackageIndex:
    """A folder of wheels that is served as the simple index of PyPI is."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        (folder / "simple").mkdir(parents=True)

    def offer(self, name: str, version: str, **values: str | Sequence[str]) -> None:
        """Add a package; a `requires` or `code` as for `build_wheel`."""
        build_wheel(self.folder / "files", name, version, **values)  # type: ignore[arg-type]
        page = self.folder / "simple" / name / "index.html"
        page.parent.mkdir(exist_ok=True)
        links = []
        for wheel in sorted((self.folder / "files").glob(f"{name.replace('-', '_')}-*.whl")):
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            links.append(f'<a href="../../files/{wheel.name}#sha256={digest}">{wheel.name}</a>')
        page.write_text("<!DOCTYPE html><html><body>" + "<br>".join(links) + "</body></html>")

    @contextmanager
    def served(self) -> Iterator[None]:
        """Answer on a free port while the block runs."""
        handler = partial(_QuietHandler, directory=str(self.folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}/simple/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def environment(self) -> Mapping[str, str]:
        """How uv is told to ask here and nowhere else."""
        return {"UV_DEFAULT_INDEX": self.url, "UV_NO_CACHE": "1"}


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep the test output quiet."""

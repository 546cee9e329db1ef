"""The fake server's artifacts: bytes under paths, listed as folders."""

from __future__ import annotations

from typing import Any

from airfoil.clients.testing.refusals import RefusalError, missing, optional_text
from airfoil.clients.testing.state import Answer, Body, without_empty

SCHEME = "mlflow-artifacts:/"


class Artifacts:
    """Files by path."""

    def __init__(self) -> None:
        """Begin with none."""
        self.by_path: dict[str, bytes] = {}

    def put(self, path: str, content: bytes) -> None:
        """Keep a file, in place of the one before."""
        self.by_path[_safe(path)] = content

    def get(self, path: str) -> bytes:
        """Return a file."""
        if _safe(path) not in self.by_path:
            raise missing(f"No such artifact: '{path}'")
        return self.by_path[path]

    def delete(self, path: str) -> None:
        """Take away a file, or all files of a folder; nothing there is fine."""
        folder = _safe(path).rstrip("/") + "/"
        self.by_path = {
            key: content
            for key, content in self.by_path.items()
            if key != path and not key.startswith(folder)
        }

    def list_folder(self, body: Body) -> Answer:
        """Return what is in a folder of the store."""
        return without_empty({"files": self._entries(_safe(optional_text(body, "path")), "")})

    def list_below(self, root_uri: str, path: str) -> Answer:
        """Return what is below an artifact address, with paths that begin there."""
        root = root_uri.removeprefix(SCHEME)
        files = self._entries(f"{root}/{_safe(path)}".rstrip("/"), f"{path}/" if path else "")
        return without_empty({"root_uri": root_uri, "files": files})

    def _entries(self, folder: str, shown_before: str) -> list[dict[str, Any]]:
        before = f"{folder}/" if folder else ""
        found: dict[str, dict[str, Any]] = {}
        for path, content in self.by_path.items():
            if not path.startswith(before):
                continue
            name, below, _ = path.removeprefix(before).partition("/")
            shown: dict[str, Any] = {"path": f"{shown_before}{name}", "is_dir": bool(below)}
            found[name] = shown if below else {**shown, "file_size": len(content)}
        return [found[name] for name in sorted(found)]


def _safe(path: str) -> str:
    if ".." in path.split("/") or path.startswith("/") or "#" in path:
        raise RefusalError("Invalid path")
    return path

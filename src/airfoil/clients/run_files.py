"""The files that one try has put into its run, remembered so that a run which takes over can be given them too.

Pictures, texts and JSON are kept in a temporary folder (they are small); files of the task itself are read again from
where they lie. Which run they go to is said by the caller.
"""

from __future__ import annotations

import io
import json
import math
import posixpath
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.clients.artifacts import ArtifactWriter
from airfoil.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from airfoil.clients.mlflow_http import MlflowHttp


class RunFiles:
    """Stores files below an artifact address, and can store them again below another one."""

    def __init__(self, http: MlflowHttp) -> None:
        """Keep the connection; the temporary folder is made when it is first needed."""
        self._artifacts = ArtifactWriter(http)
        self._kept: dict[str, Path] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def store(self, root_uri: str, name: str, content: bytes) -> None:
        """Store bytes as `name`, a relative path with slashes."""
        name = _checked(name)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="airfoil-run-")
        file = Path(self._folder.name) / str(len(self._kept))
        file.write_bytes(content)
        self._kept[name] = file
        self._artifacts.write_bytes(root_uri, name, content)

    def store_path(self, root_uri: str, path: Path, name: str = "") -> None:
        """Store a file, or a folder with all its files, as `name` (its own name when empty)."""
        if not path.exists():
            raise StorageError(f"There is no file {path} to be stored with the run", "Write it first.")
        name = _checked(name or path.resolve().name)
        if path.is_dir():
            for file in sorted(file for file in path.rglob("*") if file.is_file()):
                self.store_path(root_uri, file, f"{name}/{file.relative_to(path).as_posix()}")
            return
        self._kept[name] = path
        self._artifacts.write_file(root_uri, name, path)

    def store_again(self, root_uri: str) -> list[str]:
        """Store everything below another address; return the names of files that are no longer there."""
        gone = []
        for name, file in self._kept.items():
            if file.is_file():
                self._artifacts.write_file(root_uri, name, file)
            else:
                gone.append(name)
        return gone

    def close(self) -> None:
        """Remove the temporary folder."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def figure_bytes(figure: Any, name: str) -> bytes:
    """Return a matplotlib figure as the kind of picture its name says (PNG without an ending), plotly's as a page."""
    ending = Path(name).suffix.removeprefix(".").lower()
    if hasattr(figure, "savefig"):
        picture = io.BytesIO()
        figure.savefig(picture, format=ending or "png", dpi=120)
        return picture.getvalue()
    if hasattr(figure, "to_html") and ending in {"html", "htm"}:
        return str(figure.to_html(include_plotlyjs="cdn", auto_play=False)).encode()
    raise ConfigurationError(
        f"The figure '{name}' is of the type {type(figure).__name__}, which cannot be drawn into such a file",
        "Give a matplotlib figure and a name such as 'confusion.png', or a plotly figure and 'confusion.html'.",
    )


def json_bytes(value: Any, name: str) -> bytes:
    """Return a value as JSON; records are asked for theirs, and what no JSON can hold is named."""
    try:
        return json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"'{name}' cannot be stored as JSON: {error}", "Give plain values, lists and dictionaries."
        ) from error


def _plain(value: Any) -> Any:
    if hasattr(value, "to_json"):
        return value.to_json()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value


def _checked(name: str) -> str:
    if (
        not name
        or posixpath.normpath(name) != name
        or name.startswith(("/", ".."))
        or name == "."
        or "\\" in name
    ):
        raise ConfigurationError(
            f"A file cannot be stored with the run as {name!r}",
            "Give a relative path with slashes, such as 'charts/confusion.png'.",
        )
    return name

"""Tries a backup out: every content is read, databases are laid out and counted, secrets opened, a model predicts.

Each part has its own finding, so that a person knows what is damaged. Must not change the backup or the project.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from airfoil.errors import AirfoilError, StorageError
from airfoil.stack.backup import counts, creation, models, sqlite_copies, trees
from airfoil.stack.backup.objects import Objects
from airfoil.stack.backup.place import FolderPlace
from airfoil.stack.backup.sources import AIRFLOW, ARTIFACTS, MLFLOW, MLFLOW_AUTH, TITLES
from airfoil.stack.secrets import MLFLOW_ADMIN

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.stack.backup.creation import Progress
    from airfoil.stack.backup.manifest import DatabaseCopy, Manifest, TreeCopy
    from airfoil.stack.backup.trees import FileCopy

Outcome = Literal["ok", "failed", "skipped"]
_TRIAL = "airfoil.clients.model_trial"
_ANSWER = "airfoil-answer: "
_PATIENCE_SECONDS = 300.0
_TRIED_MODELS = 10
_NOT_FOR_MODELS = frozenset({"AIRFOIL_BACKUP_PASSPHRASE"})
_KEYS_FILE = ".airfoil/secrets.json"
_ENCRYPTED = {
    "connection": ("conn_id", (("password", "is_encrypted"), ("extra", "is_extra_encrypted"))),
    "variable": ("key", (("val", "is_encrypted"),)),
}


@dataclass(frozen=True)
class Finding:
    """What was found about one part."""

    part: str
    outcome: Outcome
    detail: str


Trial = Callable[["Path"], "dict[str, Any]"]


def run_trial(folder: Path) -> dict[str, Any]:
    """Have a process of its own load the model in a folder and predict."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", _TRIAL, str(folder)],
            env={name: value for name, value in os.environ.items() if name not in _NOT_FOR_MODELS},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"it did not predict within {_PATIENCE_SECONDS:.0f} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith(_ANSWER)]
    if not lines:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        return {"error": f"the process that loaded it ended with {done.returncode}: {last}"}
    found: dict[str, Any] = json.loads(lines[-1].removeprefix(_ANSWER))
    return found


@dataclass(frozen=True)
class Verification:
    """One backup to be tried out in a scratch folder."""

    manifest: Manifest
    kept: Objects
    passphrase: str
    scratch: Path
    trial: Trial = run_trial
    progress: Progress = creation.silent

    def run(self) -> Iterator[Finding]:
        """Yield a finding for each part, in the order in which they are looked at."""
        laid_out: dict[str, Path] = {}
        for one in self.manifest.databases:
            with self.progress(f"Restoring {TITLES.get(one.part, one.part)} into a scratch folder"):
                finding = self._database(one, laid_out)
            yield finding
        listed: dict[str, list[FileCopy]] = {}
        for tree in self.manifest.trees:
            with self.progress(f"Reading {TITLES.get(tree.part, tree.part)}"):
                finding = self._tree(tree, listed)
            yield finding
        with self.progress("Opening the secrets"):
            keys, finding = self._secrets()
        yield finding
        yield _guarded("connections", lambda: self._connections(laid_out.get(AIRFLOW), keys))
        yield _guarded("logins", lambda: self._logins(laid_out.get(MLFLOW_AUTH), keys))
        yield _guarded("counts", lambda: self._counts(laid_out))
        with self.progress("Loading a registered model"):
            finding = _guarded("model", lambda: self._model(laid_out.get(MLFLOW), listed.get(ARTIFACTS)))
        yield finding

    def _database(self, one: DatabaseCopy, laid_out: dict[str, Path]) -> Finding:
        title = TITLES.get(one.part, one.part)
        target = self.scratch / f"{one.part}.db"
        try:
            self.kept.fetch(one.stored, target, title)
            sqlite_copies.prove(target, title)
            found = sqlite_copies.facts(target)
        except AirfoilError as error:
            return Finding(one.part, "failed", error.message)
        except sqlite3.Error as error:
            return Finding(one.part, "failed", f"{title} cannot be read: {error}.")
        names = sorted(found.keys() ^ one.tables.keys())
        names += [name for name, facts in one.tables.items() if name in found and found[name] != facts]
        if names:
            return Finding(one.part, "failed", f"{title} differs from what was kept: {', '.join(names[:5])}.")
        laid_out[one.part] = target
        rows = sum(facts.rows for facts in found.values())
        return Finding(one.part, "ok", f"{len(found)} tables, {rows} rows, equal by digest")

    def _tree(self, tree: TreeCopy, listed: dict[str, list[FileCopy]]) -> Finding:
        title = TITLES.get(tree.part, tree.part)
        damaged: list[str] = []
        try:
            files = trees.files_of(tree, self.kept)
        except AirfoilError as error:
            return Finding(tree.part, "failed", error.message)
        proven: set[str] = set()
        for one in files:
            if one.object in proven:
                continue
            try:
                self.kept.prove(one.stored, f"{title}: {one.path}")
            except AirfoilError as error:
                damaged.append(error.message)
            else:
                proven.add(one.object)
        if damaged:
            more = f" And {len(damaged) - 1} more." if len(damaged) > 1 else ""
            return Finding(tree.part, "failed", f"{damaged[0]}{more}")
        listed[tree.part] = files
        return Finding(tree.part, "ok", f"{tree.files} files, {tree.bytes} bytes, equal by digest")

    def _secrets(self) -> tuple[dict[str, str], Finding]:
        try:
            files = creation.unsealed(self.manifest, self.kept, self.passphrase)
            keys = json.loads(files.get(_KEYS_FILE, b"{}"))
        except AirfoilError as error:
            return {}, Finding("secrets", "failed", error.message)
        except (ValueError, TypeError):
            return {}, Finding(
                "secrets", "failed", "The sealed secrets are damaged: they are no files of ours."
            )
        if "fernet_key" not in keys:
            return {}, Finding("secrets", "failed", f"The sealed secrets hold no key: {', '.join(files)}.")
        return keys, Finding("secrets", "ok", f"{len(files)} files open with the passphrase")

    def _connections(self, database: Path | None, keys: dict[str, str]) -> Finding:
        """Decrypt every connection and variable with the key that came out of the backup."""
        if database is None or not keys:
            return Finding("connections", "skipped", "Airflow's database or the key is not there to try.")
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        fernet = MultiFernet([Fernet(key.strip()) for key in keys["fernet_key"].split(",")])
        count = 0
        for name, value in _encrypted(database):
            try:
                fernet.decrypt(value.encode())
            except (InvalidToken, ValueError):
                return Finding(
                    "connections", "failed", f"{name} cannot be decrypted with the key of this backup."
                )
            count += 1
        said = f"{count} values decrypted" if count else "nothing is encrypted in this database"
        return Finding("connections", "ok", said)

    def _logins(self, database: Path | None, keys: dict[str, str]) -> Finding:
        """Log MLflow's administrator in, against what MLflow keeps of the password."""
        if database is None or "mlflow_admin_password" not in keys:
            return Finding("logins", "skipped", "MLflow asks for no login here.")
        from werkzeug.security import check_password_hash

        with closing(sqlite_copies.opened(database)) as opened:
            row = opened.execute(
                "select password_hash from users where username = ?", (MLFLOW_ADMIN,)
            ).fetchone()
        if row is None:
            return Finding("logins", "skipped", f"MLflow has no user {MLFLOW_ADMIN}.")
        if not check_password_hash(str(row[0]), keys["mlflow_admin_password"]):
            return Finding("logins", "skipped", f"{MLFLOW_ADMIN} has a password of their own choice.")
        return Finding("logins", "ok", f"{MLFLOW_ADMIN} can log in to MLflow")

    def _counts(self, laid_out: dict[str, Path]) -> Finding:
        found = counts.count(laid_out)
        wrong = [
            f"{number} {what}, but {found.get(what, 0)} were found"
            for what, number in self.manifest.counts.items()
            if found.get(what) != number
        ]
        if wrong:
            return Finding("counts", "failed", f"The manifest says {'; '.join(wrong[:5])}.")
        return Finding("counts", "ok", ", ".join(f"{number} {what}" for what, number in found.items()))

    def _model(self, database: Path | None, files: Sequence[FileCopy] | None) -> Finding:
        """Load the first registered model that can be loaded without running its code, and predict."""
        if database is None or files is None:
            return Finding("model", "skipped", "MLflow's database or its artifacts are not there to try.")
        found = models.candidates(database, {one.path for one in files})
        if not found:
            return Finding("model", "skipped", "No registered model has files here.")
        reason = ""
        for number, one in enumerate(found[:_TRIED_MODELS]):
            folder = self.scratch / f"model-{number}"
            inside = [
                trees.FileCopy(
                    file.path.removeprefix(f"{one.folder}/"), file.bytes, file.modified, file.object
                )
                for file in files
                if file.path.startswith(f"{one.folder}/")
            ]
            trees.lay_out(inside, self.kept, FolderPlace(folder, durable=False), one.shown)
            said = self.trial(folder)
            if "error" in said:
                return Finding("model", "failed", f"{one.shown}: {said['error']}.")
            if "skipped" not in said:
                return Finding(
                    "model", "ok", f"{one.shown} predicted {said['rows']} rows of its input example"
                )
            reason = f"{one.shown}: {said['skipped']}"
        return Finding("model", "skipped", reason)


def _guarded(part: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except AirfoilError as error:
        return Finding(part, "failed", error.message)
    except sqlite3.Error as error:
        return Finding(part, "failed", f"The database cannot be read: {error}.")


def _encrypted(database: Path) -> Iterator[tuple[str, str]]:
    """Yield what Airflow's key has encrypted, with a name for each."""
    with closing(sqlite_copies.opened(database)) as opened:
        there = sqlite_copies.tables(opened)
        for table, (key, fields) in _ENCRYPTED.items():
            for column, mark in fields if table in there else ():
                rows = opened.execute(
                    f"select {key}, {column}, {mark} from {table} where {column} is not null"  # noqa: S608 - our own names
                )
                for name, value, encrypted in rows.fetchall():
                    if value and str(encrypted).lower() in {"1", "t", "true"}:
                        yield f"{table} {name}", str(value)


def refuse_failed(findings: Sequence[Finding]) -> None:
    """Raise StorageError when a part is damaged; it names the parts."""
    failed = [one for one in findings if one.outcome == "failed"]
    if failed:
        raise StorageError(
            f"The backup is damaged: {', '.join(one.part for one in failed)}.",
            "Make another that trusts nothing of what lies there: `airfoil backup create --anew`.",
            details=[f"{one.part}: {one.detail}" for one in failed],
        )

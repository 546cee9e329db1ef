"""Private files on the project's disk: written completely or not at all, readable by their owner alone.

Turns what the operating system says about a disk into one sentence and the next move. Must not know what is in
the files, and must not import anything but the standard library (every process of a stack loads it).
"""

import contextlib
import errno
import os
import pwd
import secrets
import shutil
import time
from pathlib import Path

from airfoil.errors import StorageError

PRIVATE_FILE_MODE = 0o600
PRIVATE_FOLDER_MODE = 0o700
_OTHERS = 0o077
_ABANDONED_SECONDS = 60.0

# Sentence and next move by error number; {path} is what we wanted to use.
_WORDS = {
    errno.EROFS: (
        "{path} is on a read-only disk.",
        "Remount the disk writable, or move the project to a disk that you may write to.",
    ),
    errno.ENOSPC: (
        "The disk is full{free}: {path} could not be written.",
        "Free some space (`du -sh .airfoil/*` shows what this project uses) and try again; nothing is lost.",
    ),
    errno.EDQUOT: (
        "Your disk quota is used up{free}: {path} could not be written.",
        "Free some space (`du -sh .airfoil/*` shows what this project uses) and try again; nothing is lost.",
    ),
    errno.EISDIR: ("{path} is a folder where a file is needed.", "Move it away, then try again."),
    errno.ENOTDIR: ("{blocker} is a file where a folder is needed.", "Move that file away, then try again."),
    errno.EEXIST: ("{blocker} is a file where a folder is needed.", "Move that file away, then try again."),
    errno.ENAMETOOLONG: ("The path {path} is too long.", "Move the project to a folder with a shorter path."),
    errno.ENOENT: ("{path} does not exist any more.", "Was it removed meanwhile? Start again: `airfoil up`."),
}


def storage_error(path: Path, error: OSError) -> StorageError:
    """Say in one sentence why `path` could not be used, and what helps; the caller raises it `from error`."""
    if error.errno in {errno.EACCES, errno.EPERM}:
        return _forbidden(path)
    reason = error.strerror or str(error) or type(error).__name__
    other = (
        f"{{path}} could not be used: {reason}.",
        "Check the disk (`df -h`, `dmesg | tail`), then try again.",
    )
    sentence, move = _WORDS.get(error.errno or 0, other)
    words = {"path": path, "free": _free_text(path), "blocker": _first_non_folder(path)}
    return StorageError(sentence.format(**words), move)


def belongs_to_another(path: Path, owner: int) -> StorageError:
    """Say that `path` belongs to another user, and how to hand it over."""
    me, other = user_name(os.geteuid()), user_name(owner)
    if os.geteuid() == 0:
        return StorageError(
            f"{path} belongs to {other}, and root would leave files in it that {other} cannot change.",
            f"Run the command as {other}, or hand the folder to root: `chown -R root '{path}'`.",
        )
    return StorageError(
        f"{path} belongs to {other}, not to you ({me}).",
        f"`sudo chown -R {me} '{path}'`, or run the command as {other}.",
    )


def user_name(uid: int) -> str:
    """Return the login name of a user id, or the number when the machine does not know it."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _forbidden(path: Path) -> StorageError:
    """Name the nearest existing folder or file on the way to `path`, and whose it is."""
    blocked = path
    # lexists, because what lies in a folder that we may not enter looks absent; the folder is what must change.
    while not os.path.lexists(blocked) and blocked != blocked.parent:
        blocked = blocked.parent
    try:
        owner = blocked.stat().st_uid
    except OSError:
        return StorageError(f"You may not use {path}.", f"Check its permissions: `ls -la '{blocked}'`.")
    if owner == os.geteuid():
        return StorageError(
            f"The permissions of {blocked} forbid to use it.", f"`chmod -R u+rwX '{blocked}'`"
        )
    return belongs_to_another(blocked, owner)


def _free_text(path: Path) -> str:
    """Return ` (3 MiB free)` for the disk of `path`, or nothing when it cannot be told."""
    for folder in (path, *path.parents):
        with contextlib.suppress(OSError):
            return f" ({shutil.disk_usage(folder).free // 2**20} MiB free)"
    return ""


def _first_non_folder(path: Path) -> Path:
    """Return the highest part of `path` that exists and is no folder."""
    for part in (*reversed(path.parents), path):
        if os.path.lexists(part) and not part.is_dir():
            return part
    return path


def make_private_folder(path: Path) -> None:
    """Create `path` (and its parents) with mode 0700; close it to others when it stands open."""
    try:
        path.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
        if path.stat().st_mode & _OTHERS:
            path.chmod(PRIVATE_FOLDER_MODE)
    except OSError as error:
        raise storage_error(path, error) from error


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` with mode 0600: whoever reads sees the old or the new text, never a part.

    A full disk leaves the old file as it was and no temporary file behind.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE_MODE
        )
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise storage_error(path, error) from error


def write_shared(path: Path, text: str) -> None:
    """Replace a file of the project as a whole, for everybody who may read it now; a link stays a link."""
    place = Path(os.path.realpath(path))
    temporary = place.with_name(f".{place.name}.{secrets.token_hex(6)}.tmp")
    try:
        try:
            temporary.write_text(text, encoding="utf-8", newline="")
            if place.exists():
                shutil.copymode(place, temporary)
            temporary.replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        raise storage_error(path, error) from error


def remove_abandoned(folder: Path) -> None:
    """Remove the unfinished files of writers that were killed; a writer at work needs far less than this long."""
    for leftover in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _ABANDONED_SECONDS:
                leftover.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; some file systems cannot, and trying costs nothing."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

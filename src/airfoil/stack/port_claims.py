"""Keeps projects that start at the same moment from choosing the same port.

Between choosing a port and listening on it lie seconds. A claim is a lock on a small file that all projects of a
user share; it ends with the process that holds it. Claims are a courtesy between stacks: where they cannot be made,
starting goes on without them. Must not probe ports.
"""

import contextlib
import fcntl
import os
import stat
import tempfile
from pathlib import Path

_FILE_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
# A holder that ends removes its file; who opened it just before must look again, and is not unlucky many times.
_ATTEMPTS = 10


def shared_folder() -> Path:
    """Return the folder for the claims of this user on this machine."""
    return Path(tempfile.gettempdir()) / f"airfoil-ports-{os.geteuid()}"


class PortClaims:
    """The claims of one start; `release` (or the end of the process) gives them back."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or shared_folder()
        self._held: dict[int, int] = {}

    def take(self, port: int) -> bool:
        """Claim a port; False when another start holds it."""
        if port in self._held:
            return True
        for _ in range(_ATTEMPTS):
            if not self._folder_is_ours():
                return True
            path = self._path(port)
            try:
                descriptor = os.open(path, _FILE_FLAGS, 0o600)
            except FileNotFoundError:
                continue  # somebody removed the empty folder in between
            except OSError:
                return True
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(descriptor)
                return False
            if _is_still(path, descriptor):
                self._held[port] = descriptor
                return True
            os.close(descriptor)
        return True

    def give_back(self, port: int) -> None:
        """Release one port and remove its file, while the lock still keeps others from taking that very file."""
        descriptor = self._held.pop(port, None)
        if descriptor is None:
            return
        with contextlib.suppress(OSError):
            self._path(port).unlink()
        os.close(descriptor)

    def release(self) -> None:
        """Release every port and leave nothing behind."""
        for port in tuple(self._held):
            self.give_back(port)
        with contextlib.suppress(OSError):
            self._folder.rmdir()  # refuses while another start has claims in it

    def _path(self, port: int) -> Path:
        return self._folder / f"{port}.lock"

    def _folder_is_ours(self) -> bool:
        """Make the folder; False when it cannot be made, or when somebody else put something in its place."""
        try:
            with contextlib.suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
            found = self._folder.lstat()
        except OSError:
            return False
        return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _is_still(path: Path, descriptor: int) -> bool:
    """Tell whether the locked file is the one others find under this name."""
    try:
        named, held = path.lstat(), os.fstat(descriptor)
    except OSError:
        return False
    return (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)

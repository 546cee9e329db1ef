"""Secrets under a passphrase: scrypt makes the key, AES-GCM seals. Nothing about the secrets can be read without it.

Must not keep or print what it seals.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import Any

from airfoil.errors import SecretsError, StorageError

MINIMUM_LENGTH = 12
_MARK = b"airfoil-sealed-1\n"
_SALT_BYTES = 16
_NONCE_BYTES = 12
_KEY_BYTES = 32
_MOST_MEMORY = 2**30
_MOST_LANES = 16


@dataclass(frozen=True)
class Cost:
    """How much work a guess is: n and r make the memory (128 n r bytes), p how often."""

    n: int = 2**17
    r: int = 8
    p: int = 1

    def is_sane(self) -> bool:
        """Tell whether it can be done at all: what is read from a file may ask for anything."""
        memory = 128 * self.n * self.r
        powers = self.n > 1 and self.n & (self.n - 1) == 0
        return powers and self.r > 0 and memory <= _MOST_MEMORY and 0 < self.p <= _MOST_LANES


def seal(content: bytes, passphrase: str, about: str, cost: Cost = Cost()) -> bytes:
    """Seal a content; `about` says what it belongs to and has to be the same to open it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    check_passphrase(passphrase)
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    head = {"kdf": "scrypt", **asdict(cost), "salt": salt.hex(), "nonce": nonce.hex()}
    first = _MARK + json.dumps(head).encode() + b"\n"
    return first + AESGCM(_key(passphrase, salt, cost)).encrypt(nonce, content, first + about.encode())


def unseal(sealed: bytes, passphrase: str, about: str) -> bytes:
    """Return what was sealed; SecretsError for another passphrase, StorageError for what we have not sealed."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    line, _, body = sealed.removeprefix(_MARK).partition(b"\n")
    try:
        head: Any = json.loads(line)
        cost = Cost(int(head["n"]), int(head["r"]), int(head["p"]))
        salt, nonce = bytes.fromhex(head["salt"]), bytes.fromhex(head["nonce"])
        fits = cost.is_sane()
    except (ValueError, TypeError, KeyError) as error:
        raise StorageError("The sealed secrets are damaged: they do not begin as we write them.") from error
    if not sealed.startswith(_MARK) or not fits:
        raise StorageError("The sealed secrets are damaged: they were not sealed by this Airfoil.")
    first = sealed[: len(sealed) - len(body)]
    try:
        return AESGCM(_key(passphrase, salt, cost)).decrypt(nonce, body, first + about.encode())
    except InvalidTag:
        # `from None`: there is nothing to learn from the cause.
        raise SecretsError(
            "This passphrase does not open the secrets of the backup.", "Give the one it was made with."
        ) from None


def check_passphrase(passphrase: str) -> None:
    """Refuse what is too short to be one."""
    if len(passphrase) < MINIMUM_LENGTH:
        raise SecretsError(
            f"The passphrase has {len(passphrase)} characters; {MINIMUM_LENGTH} are the least.",
            "Five or six words that have nothing to do with each other are easy to keep.",
        )


def _key(passphrase: str, salt: bytes, cost: Cost) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=_KEY_BYTES, n=cost.n, r=cost.r, p=cost.p).derive(passphrase.encode())

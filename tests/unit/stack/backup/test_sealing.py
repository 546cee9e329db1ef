"""Sealed secrets: opened by their passphrase alone, and by nothing that was tampered with."""

from __future__ import annotations

import pytest
from tests.backup_shop import CHEAP, PASSPHRASE

from airfoil.errors import AirfoilError, SecretsError, StorageError
from airfoil.stack.backup.sealing import Cost, seal, unseal

pytestmark = pytest.mark.unit


def test_the_passphrase_opens_it_and_nothing_shows_through():
    sealed = seal(b"fernet_key", PASSPHRASE, "backup-1", CHEAP)
    assert b"fernet_key" not in sealed
    assert PASSPHRASE.encode() not in sealed
    assert unseal(sealed, PASSPHRASE, "backup-1") == b"fernet_key"
    assert seal(b"fernet_key", PASSPHRASE, "backup-1", CHEAP) != sealed, "salt and nonce are drawn anew"


@pytest.mark.parametrize(
    ("passphrase", "about"), [("another passphrase", "backup-1"), (PASSPHRASE, "backup-2")]
)
def test_another_passphrase_or_another_backup_does_not(passphrase, about):
    with pytest.raises(SecretsError, match="does not open"):
        unseal(seal(b"x", PASSPHRASE, "backup-1", CHEAP), passphrase, about)


@pytest.mark.parametrize("position", range(0, 190, 7))
def test_no_bit_of_it_can_be_changed(position):
    sealed = bytearray(seal(b"x" * 20, PASSPHRASE, "b", CHEAP))
    sealed[position % len(sealed)] ^= 1
    with pytest.raises(AirfoilError):
        unseal(bytes(sealed), PASSPHRASE, "b")


@pytest.mark.parametrize("sealed", [b"", b"airfoil-sealed-1\n", b"airfoil-sealed-1\n{}\nxx", b"\xff" * 50])
def test_what_we_have_not_sealed_is_told(sealed):
    with pytest.raises(StorageError, match="damaged"):
        unseal(sealed, PASSPHRASE, "b")


def test_a_head_that_asks_for_all_memory_is_refused():
    sealed = seal(b"x", PASSPHRASE, "b", CHEAP).replace(b'"n": 16', b'"n": 1073741824')
    with pytest.raises(StorageError, match="not sealed by this Airfoil"):
        unseal(sealed, PASSPHRASE, "b")


def test_a_short_passphrase_is_refused_and_the_default_cost_is_high():
    with pytest.raises(SecretsError, match="12 are the least"):
        seal(b"x", "short", "b", CHEAP)
    assert 128 * Cost().n * Cost().r >= 2**27

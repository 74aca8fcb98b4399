"""ShareStoragePort: what every store of shares promises."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from console.application.errors import SealBroken, ShareUnavailable, VaultLocked
from console.application.ports.share_storage import ShareLabel
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import MAX_RECORD, record_name
from tests.contract.vaults import ALICE, VAULTS, VaultCase, make

LABEL = ShareLabel(WalletId("wl-0011223344556677"), ALICE, SignatureKind.EDDSA_ED25519, 1)
SHARE = b"a share of a group key, thirty-two"
OTHERS = (
    replace(LABEL, epoch=2),
    replace(LABEL, kind=SignatureKind.SCHNORR_BIP340),
    replace(LABEL, wallet=WalletId("../../etc/passwd")),
    replace(LABEL, member=MemberId("bob")),
)


@pytest.fixture(params=VAULTS)
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[VaultCase]:
    case = make(request.param, tmp_path, request)
    await case.unlock()
    yield case
    await case.vault.close()


async def test_a_sealed_share_opens_again(case: VaultCase) -> None:
    share = SecretBytes(SHARE)
    await case.vault.shares.seal(LABEL, share)
    assert not share.wiped
    opened = await case.vault.shares.unseal(LABEL)
    assert opened == share


async def test_a_share_survives_a_restart(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    await case.vault.close()
    case.vault = case.reopen()
    await case.unlock()
    assert await case.vault.shares.unseal(LABEL) == SecretBytes(SHARE)


async def test_every_field_of_the_label_counts(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    for other in OTHERS:
        with pytest.raises(ShareUnavailable):
            await case.vault.shares.unseal(other)


async def test_sealing_the_same_share_again_is_no_error(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))


async def test_another_share_never_takes_the_place(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    with pytest.raises(FileExistsError):
        await case.vault.shares.seal(LABEL, SecretBytes(b"another"))
    assert await case.vault.shares.unseal(LABEL) == SecretBytes(SHARE)


async def test_labels_are_listed_sorted_even_while_locked(case: VaultCase) -> None:
    assert await case.vault.shares.labels() == ()
    for label in (*OTHERS, LABEL):
        await case.vault.shares.seal(label, SecretBytes(SHARE))
    await case.vault.lock()
    assert await case.vault.shares.labels() == tuple(sorted((*OTHERS, LABEL)))


async def test_an_erased_share_is_gone(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    await case.vault.shares.erase(LABEL)
    await case.vault.shares.erase(LABEL)
    assert await case.vault.shares.labels() == ()
    with pytest.raises(ShareUnavailable):
        await case.vault.shares.unseal(LABEL)


async def test_a_locked_vault_neither_seals_nor_opens(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    await case.vault.lock()
    with pytest.raises(VaultLocked):
        await case.vault.shares.unseal(LABEL)
    for label in (LABEL, OTHERS[0]):
        with pytest.raises(VaultLocked):
            await case.vault.shares.seal(label, SecretBytes(SHARE))


async def test_an_empty_share_is_refused(case: VaultCase) -> None:
    with pytest.raises(ValueError, match="share"):
        await case.vault.shares.seal(LABEL, SecretBytes(b""))


async def test_a_large_share_is_kept(case: VaultCase) -> None:
    share = SecretBytes(bytes(range(256)) * 1024)
    await case.vault.shares.seal(LABEL, share)
    assert await case.vault.shares.unseal(LABEL) == share


async def test_a_replaced_share_opens_to_the_new_one_only(case: VaultCase) -> None:
    for label in (LABEL, OTHERS[0]):
        await case.vault.shares.seal(label, SecretBytes(SHARE))
    new = SecretBytes(b"the same share without what was shared with a banned peer")
    await case.vault.shares.replace(LABEL, new)
    assert not new.wiped
    assert await case.vault.shares.unseal(LABEL) == new
    assert await case.vault.shares.unseal(OTHERS[0]) == SecretBytes(SHARE)
    assert await case.vault.shares.labels() == tuple(sorted((LABEL, OTHERS[0])))
    await case.vault.shares.replace(LABEL, new)
    await case.vault.close()
    case.vault = case.reopen()
    await case.unlock()
    assert await case.vault.shares.unseal(LABEL) == new


async def test_what_is_not_stored_is_not_replaced(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    await case.vault.shares.erase(LABEL)
    for label in (LABEL, *OTHERS):
        with pytest.raises(ShareUnavailable):
            await case.vault.shares.replace(label, SecretBytes(SHARE))
    assert await case.vault.shares.labels() == ()


async def test_a_locked_vault_does_not_replace(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    await case.vault.lock()
    for label in (LABEL, OTHERS[0]):
        with pytest.raises(VaultLocked):
            await case.vault.shares.replace(label, SecretBytes(b"another"))
    await case.unlock()
    assert await case.vault.shares.unseal(LABEL) == SecretBytes(SHARE)


async def test_no_share_is_replaced_by_an_empty_one(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    with pytest.raises(ValueError, match="share"):
        await case.vault.shares.replace(LABEL, SecretBytes(b""))
    assert await case.vault.shares.unseal(LABEL) == SecretBytes(SHARE)


async def test_the_largest_share_is_kept_and_replaced(case: VaultCase) -> None:
    await case.vault.shares.seal(LABEL, SecretBytes(SHARE))
    share = SecretBytes(bytes(range(256)) * 4096)
    await case.vault.shares.replace(LABEL, share)
    assert await case.vault.shares.unseal(LABEL) == share


def is_gone(path: Path, _other: Path) -> None:
    path.unlink()


def is_empty(path: Path, _other: Path) -> None:
    path.write_bytes(b"")


def is_cut_off(path: Path, _other: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def is_too_long(path: Path, _other: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(MAX_RECORD))


def is_of_another_epoch(path: Path, other: Path) -> None:
    path.write_bytes(other.read_bytes())


def is_altered(path: Path, _other: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))


def cannot_be_read(path: Path, _other: Path) -> None:
    # As a file without permission, also for the superuser.
    path.unlink()
    path.mkdir()


def has_no_folder(path: Path, _other: Path) -> None:
    shutil.rmtree(path.parent)


def file_of(folder: Path, label: ShareLabel) -> Path:
    return next(folder.rglob(record_name(label)))


@pytest.mark.parametrize("case", VAULTS[:2], indirect=True)
@pytest.mark.parametrize(
    "damage",
    [
        is_gone,
        is_empty,
        is_cut_off,
        is_too_long,
        is_of_another_epoch,
        is_altered,
        cannot_be_read,
        has_no_folder,
    ],
)
async def test_a_share_file_that_is_no_more_is_a_share_that_does_not_open(
    case: VaultCase, tmp_path: Path, damage: Callable[[Path, Path], None]
) -> None:
    other = replace(LABEL, epoch=2)
    for label in (LABEL, other):
        await case.vault.shares.seal(label, SecretBytes(SHARE))
    damage(file_of(tmp_path, LABEL), file_of(tmp_path, other))
    with pytest.raises((ShareUnavailable, SealBroken)):
        await case.vault.shares.unseal(LABEL)
    # The vault is not affected, and no other share.
    if damage is not has_no_folder:
        assert other in await case.vault.shares.labels()
        assert await case.vault.shares.unseal(other) == SecretBytes(SHARE)
    await case.vault.identity.sign(b"still here")

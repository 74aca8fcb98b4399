"""Parts of keys: proven to open before they count, wiped after use."""

from collections.abc import Awaitable, Callable

import pytest

from console.application.errors import SealBroken, ShareUnavailable, VaultLocked
from console.application.ports.share_storage import ShareLabel
from console.application.ports.threshold import KeyMaterial
from console.application.shares.share_manager import ShareManager
from console.domain.errors import NotYetPossible
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, encode_share
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.fakes.vault import DEFAULT_PIN, FakeVault
from tests.unit.domain.facts import KIND, WALLET

ANA = MemberId("ana")
ECDSA = SignatureKind.ECDSA_SECP256K1
SETUP = b"what two parties share for multiplying"

Act = Callable[[ShareManager, KeyMaterial], Awaitable[None]]


def key_share(group: Group = ED25519) -> KeyShare:
    return dealt(2, 2, group=group)[1]


def held_key() -> KeyMaterial:
    return KeyMaterial(key_share())


def paired(setup: bytes = SETUP) -> KeyMaterial:
    return KeyMaterial(key_share(SECP256K1), SecretBytes(setup))


async def seal(shares: ShareManager, held: KeyMaterial) -> None:
    await shares.seal(WALLET, KIND, 0, held)


async def replace(shares: ShareManager, held: KeyMaterial) -> None:
    await shares.replace(WALLET, KIND, 0, held)


STORING = pytest.mark.parametrize("act", [seal, replace])


@pytest.fixture
async def vault() -> FakeVault:
    vault = FakeVault(ANA)
    await vault.unlock(SecretBytes(DEFAULT_PIN))
    return vault


@pytest.fixture
def shares(vault: FakeVault) -> ShareManager:
    return ShareManager(ANA, vault.shares)


async def test_a_sealed_share_opens_to_what_was_sealed(shares: ShareManager) -> None:
    held = held_key()
    await seal(shares, held)
    assert held.share.secret.wiped
    opened = await shares.unseal(WALLET, KIND, 0)
    assert opened == held_key()
    assert await shares.holds(WALLET, KIND, 0)
    await shares.erase(WALLET, KIND, 0)
    assert not await shares.holds(WALLET, KIND, 0)
    with pytest.raises(ShareUnavailable):
        await shares.unseal(WALLET, KIND, 0)


async def test_what_a_kind_keeps_beside_the_share_is_sealed_with_it(shares: ShareManager) -> None:
    held = paired()
    await shares.seal(WALLET, ECDSA, 3, held)
    assert held.setup is not None
    assert held.setup.wiped
    assert held.share.secret.wiped
    assert await shares.unseal(WALLET, ECDSA, 3) == paired()


async def test_a_replaced_part_takes_the_place_of_the_old_one(shares: ShareManager) -> None:
    await shares.seal(WALLET, ECDSA, 3, paired())
    with pytest.raises(FileExistsError):
        await shares.seal(WALLET, ECDSA, 3, paired(b"without the banned peer"))
    held = paired(b"without the banned peer")
    await shares.replace(WALLET, ECDSA, 3, held)
    assert held.share.secret.wiped
    assert await shares.unseal(WALLET, ECDSA, 3) == paired(b"without the banned peer")


async def test_what_is_not_there_is_not_replaced(shares: ShareManager) -> None:
    held = held_key()
    with pytest.raises(ShareUnavailable):
        await replace(shares, held)
    assert held.share.secret.wiped
    assert not await shares.holds(WALLET, KIND, 0)


async def test_a_record_from_before_there_were_setups_opens(
    vault: FakeVault, shares: ShareManager
) -> None:
    await vault.shares.seal(ShareLabel(WALLET, ANA, KIND, 0), encode_share(key_share()))
    assert await shares.unseal(WALLET, KIND, 0) == held_key()
    await replace(shares, held_key())
    assert await shares.unseal(WALLET, KIND, 0) == held_key()


@STORING
async def test_a_share_that_does_not_open_is_not_acknowledged(
    vault: FakeVault, shares: ShareManager, monkeypatch: pytest.MonkeyPatch, act: Act
) -> None:
    async def other(_label: object) -> SecretBytes:
        return SecretBytes(b"something else")

    await seal(shares, held_key())
    monkeypatch.setattr(vault.shares, "unseal", other)
    monkeypatch.setattr(vault.shares, "seal", vault.shares.replace)
    held = held_key()
    with pytest.raises(SealBroken):
        await act(shares, held)
    assert held.share.secret.wiped


@STORING
async def test_a_share_is_wiped_although_the_vault_refuses(
    vault: FakeVault, shares: ShareManager, act: Act
) -> None:
    await seal(shares, held_key())
    await vault.lock()
    held = held_key()
    with pytest.raises(VaultLocked):
        await act(shares, held)
    assert held.share.secret.wiped


@pytest.mark.parametrize(
    ("wallet", "kind", "epoch"),
    [
        (WalletId("wl-other"), KIND, 0),
        (WALLET, SignatureKind.SCHNORR_BIP340, 0),
        (WALLET, KIND, 1),
    ],
)
async def test_a_share_answers_to_its_own_label_only(
    shares: ShareManager, wallet: WalletId, kind: SignatureKind, epoch: int
) -> None:
    await seal(shares, held_key())
    with pytest.raises(ShareUnavailable):
        await shares.unseal(wallet, kind, epoch)


@pytest.mark.parametrize("kind", [ECDSA, SignatureKind.SCHNORR_BIP340, SignatureKind.BLS12381_G2])
async def test_a_share_of_another_kind_is_neither_sealed_nor_opened(
    vault: FakeVault, shares: ShareManager, kind: SignatureKind
) -> None:
    held = held_key()
    with pytest.raises(ValueError, match="kind"):
        await shares.seal(WALLET, kind, 0, held)
    assert held.share.secret.wiped
    assert not await shares.holds(WALLET, kind, 0)
    await vault.shares.seal(ShareLabel(WALLET, ANA, kind, 0), encode_share(key_share()))
    with pytest.raises(SealBroken, match="kind"):
        await shares.unseal(WALLET, kind, 0)


@pytest.mark.parametrize("record", [b"QKS1 but nothing else", b"QHK1 but nothing else", b"other"])
async def test_a_record_that_is_no_share_is_broken(
    vault: FakeVault, shares: ShareManager, monkeypatch: pytest.MonkeyPatch, record: bytes
) -> None:
    async def nonsense(_label: object) -> SecretBytes:
        return SecretBytes(record)

    monkeypatch.setattr(vault.shares, "unseal", nonsense)
    with pytest.raises(SealBroken):
        await shares.unseal(WALLET, KIND, 0)


async def test_a_sealed_share_that_does_not_fit_its_public_share_is_broken(
    vault: FakeVault, shares: ShareManager
) -> None:
    encoded = encode_share(key_share())
    encoded.view()[12] ^= 1
    await vault.shares.seal(ShareLabel(WALLET, ANA, KIND, 0), encoded)
    with pytest.raises(SealBroken):
        await shares.unseal(WALLET, KIND, 0)


async def test_a_wallets_parts_are_listed_even_while_locked(
    vault: FakeVault, shares: ShareManager
) -> None:
    await shares.seal(WALLET, KIND, 1, held_key())
    await shares.seal(WALLET, ECDSA, 0, paired())
    await shares.seal(WalletId("wl-other"), KIND, 0, held_key())
    await vault.lock()
    assert set(await shares.stored(WALLET)) == {(KIND, 1), (ECDSA, 0)}


async def test_why_a_share_did_not_open_is_kept_until_it_does(
    shares: ShareManager, vault: FakeVault
) -> None:
    await seal(shares, held_key())
    assert shares.trouble(WALLET, [KIND], 0) == ""
    label = ShareLabel(WALLET, ANA, KIND, 0)
    stored = vault.shares.records.pop(label)
    assert not await shares.holds(WALLET, KIND, 0)
    with pytest.raises(NotYetPossible, match=r"needs a repair \(no share is stored"):
        await shares.require(WALLET, KIND, 0)
    assert "no share is stored" in shares.trouble(WALLET, [ECDSA, KIND], 0)
    assert shares.trouble(WALLET, [KIND], 1) == ""
    vault.shares.records[label] = stored[:-1]
    assert not await shares.holds(WALLET, KIND, 0)
    assert "does not open" in shares.trouble(WALLET, [KIND], 0)
    vault.shares.records[label] = stored
    assert await shares.holds(WALLET, KIND, 0)
    assert shares.trouble(WALLET, [KIND], 0) == ""


async def test_a_locked_vault_is_no_trouble_of_a_share(
    shares: ShareManager, vault: FakeVault
) -> None:
    await seal(shares, held_key())
    await vault.lock()
    with pytest.raises(VaultLocked):
        await shares.holds(WALLET, KIND, 0)
    assert shares.trouble(WALLET, [KIND], 0) == ""

"""Shares: proven to open before they count, wiped after use."""

import pytest

from console.application.errors import SealBroken, ShareUnavailable, VaultLocked
from console.application.share_manager import ShareManager
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.ed25519 import ED25519
from tests.fakes.vault import DEFAULT_PIN, FakeVault
from tests.unit.domain.facts import KIND, WALLET

ANA = MemberId("ana")


def key_share() -> KeyShare:
    """Deal a 2-of-2 key on the line 5 + 7x; return the first share."""
    secrets = {i: (5 + 7 * i).to_bytes(32, "little") for i in (0, 1, 2)}
    points = {
        i: bytes(ED25519.base(ED25519.secret_scalar(SecretBytes(s)))) for i, s in secrets.items()
    }
    public = PublicKeyPackage("ed25519", 2, points[0], ((1, points[1]), (2, points[2])), b"c" * 32)
    return KeyShare(1, SecretBytes(secrets[1]), public)


@pytest.fixture
async def vault() -> FakeVault:
    vault = FakeVault(ANA)
    await vault.unlock(SecretBytes(DEFAULT_PIN))
    return vault


async def test_a_sealed_share_opens_to_what_was_sealed(vault: FakeVault) -> None:
    shares, share = ShareManager(ANA, vault.shares), key_share()
    await shares.seal(WALLET, KIND, 0, share)
    assert share.secret.wiped
    opened = await shares.unseal(WALLET, KIND, 0)
    assert opened.secret == key_share().secret
    assert opened.public == share.public
    assert await shares.holds(WALLET, KIND, 0)
    await shares.erase(WALLET, KIND, 0)
    assert not await shares.holds(WALLET, KIND, 0)
    with pytest.raises(ShareUnavailable):
        await shares.unseal(WALLET, KIND, 0)


async def test_a_share_that_does_not_open_is_not_acknowledged(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def other(_label: object) -> SecretBytes:
        return SecretBytes(b"something else")

    monkeypatch.setattr(vault.shares, "unseal", other)
    share = key_share()
    with pytest.raises(SealBroken):
        await ShareManager(ANA, vault.shares).seal(WALLET, KIND, 0, share)
    assert share.secret.wiped


async def test_a_share_is_wiped_although_the_vault_refuses(vault: FakeVault) -> None:
    await vault.lock()
    share = key_share()
    with pytest.raises(VaultLocked):
        await ShareManager(ANA, vault.shares).seal(WALLET, KIND, 0, share)
    assert share.secret.wiped


@pytest.mark.parametrize(
    ("wallet", "kind", "epoch"),
    [
        (WalletId("wl-other"), KIND, 0),
        (WALLET, SignatureKind.SCHNORR_BIP340, 0),
        (WALLET, KIND, 1),
    ],
)
async def test_a_share_answers_to_its_own_label_only(
    vault: FakeVault, wallet: WalletId, kind: SignatureKind, epoch: int
) -> None:
    shares = ShareManager(ANA, vault.shares)
    await shares.seal(WALLET, KIND, 0, key_share())
    with pytest.raises(ShareUnavailable):
        await shares.unseal(wallet, kind, epoch)


async def test_a_record_that_is_no_share_is_broken(
    vault: FakeVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nonsense(_label: object) -> SecretBytes:
        return SecretBytes(b"QKS1 but nothing else")

    monkeypatch.setattr(vault.shares, "unseal", nonsense)
    with pytest.raises(SealBroken):
        await ShareManager(ANA, vault.shares).unseal(WALLET, KIND, 0)

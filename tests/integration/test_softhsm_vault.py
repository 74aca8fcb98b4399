"""The PKCS#11 vault against a token that is attacked, pulled out, or half broken."""

import os
import shutil
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass, TokenFlag
from pkcs11.types import Session, Token
from pkcs11.util.ec import encode_named_curve_parameters

from console.application.errors import (
    HsmError,
    KeyCheckFailed,
    PinLocked,
    SealBroken,
    TokenMissing,
    VaultLocked,
    WrongPin,
)
from console.application.ports.share_storage import ShareLabel
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import record_name
from hsm.anchor import HEAD, create_head
from hsm.keys import PRESENCE
from hsm.library import Library, TokenChoice, library
from hsm.provision import initialise_token, provision
from hsm.removal import SetUp
from hsm.vault import Pkcs11Settings, Pkcs11Vault
from hsm.wrapping_methods import KEK
from tests.contract.vaults import Clock
from tests.integration.children import REFUSED, RIGHT, WRONG, start, use_token
from tests.softhsm import ALICE, SO_PIN, USER_PIN, SoftHsm

pytestmark = pytest.mark.hsm

LABEL = ShareLabel(WalletId("wl-1"), ALICE, SignatureKind.EDDSA_ED25519, 1)
SHARE = b"a share of a group key, thirty-two"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(softhsm: SoftHsm, tmp_path: Path) -> Pkcs11Settings:
    return softhsm.member(tmp_path)


@pytest.fixture
async def vault(settings: Pkcs11Settings, clock: Clock) -> AsyncIterator[Pkcs11Vault]:
    vault = Pkcs11Vault(settings, now_ms=clock)
    yield vault
    await vault.close()


def raw(settings: Pkcs11Settings) -> Session:
    """Log in behind the vault's back."""
    token = pkcs11.lib(str(settings.module)).get_token(token_label=settings.token_label)
    return token.open(rw=True, user_pin=USER_PIN.decode())


def new_kek(session: Session, **traits: bool) -> None:
    session.generate_key(
        KeyType.AES,
        256,
        label=KEK,
        store=True,
        capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
        template={Attribute[name]: value for name, value in traits.items()},
    )


def new_signing_key(session: Session, label: str, traits: dict[Attribute, bool]) -> None:
    decided_by_token = {
        Attribute.LOCAL,
        Attribute.ALWAYS_SENSITIVE,
        Attribute.NEVER_EXTRACTABLE,
    }
    curve = {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}
    session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
        label=label,
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template={t: on for t, on in traits.items() if t not in decided_by_token},
    )


def destroy(session: Session, label: str) -> None:
    for found in list(session.get_objects({Attribute.LABEL: label})):
        found.destroy()


async def unlock(vault: Pkcs11Vault) -> None:
    await vault.unlock(SecretBytes(USER_PIN))


def frames(trace: TracebackType | None) -> Iterator[object]:
    while trace is not None:
        yield from trace.tb_frame.f_locals.values()
        trace = trace.tb_next


async def test_a_wrong_pin_leaves_no_trace_of_itself(vault: Pkcs11Vault) -> None:
    with pytest.raises(WrongPin) as refused:
        await vault.unlock(SecretBytes(b"secret-pin-991"))
    error = refused.value
    assert error.__context__ is None
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    here = "test_a_wrong_pin_leaves_no_trace_of_itself"
    text = "".join(line for line in shown.format() if here not in line)
    assert "secret-pin-991" not in text.replace('b"secret-pin-991"', "")
    assert not any("secret-pin-991" in repr(value) for value in frames(error.__traceback__))


async def test_a_stray_login_is_no_way_around_the_pin(
    vault: Pkcs11Vault, settings: Pkcs11Settings, clock: Clock
) -> None:
    raw(settings)
    with pytest.raises(WrongPin):
        await vault.unlock(SecretBytes(b"000000"))
    clock.advance(1)
    raw(settings)
    await unlock(vault)
    with pytest.raises(WrongPin):
        await vault.verify_pin(SecretBytes(b"000000"))


async def test_a_token_has_one_owner_in_a_process(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    with pytest.raises(HsmError, match="in use"):
        Pkcs11Vault(settings)
    await vault.close()
    await Pkcs11Vault(settings).close()


async def test_a_forked_process_is_refused(
    vault: Pkcs11Vault, settings: Pkcs11Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await unlock(vault)
    with monkeypatch.context() as forked:
        forked.setattr(os, "getpid", lambda: 1)
        with pytest.raises(HsmError, match="process"):
            await vault.identity.sign(b"message")
    await vault.identity.sign(b"message")


async def test_a_token_pulled_out_and_put_back(
    vault: Pkcs11Vault, settings: Pkcs11Settings, softhsm: SoftHsm, tmp_path: Path
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    folder = softhsm.folder_of(settings.token_label)
    away = tmp_path / "away"
    shutil.move(folder, away)
    with pytest.raises(HsmError):
        await vault.shares.unseal(LABEL)
    with pytest.raises(VaultLocked):
        await vault.shares.seal(replace(LABEL, epoch=2), SecretBytes(SHARE))
    status = await vault.status()
    assert not status.present
    assert not status.unlocked
    with pytest.raises(TokenMissing):
        await unlock(vault)
    shutil.move(away, folder)
    library(settings.module).reset()
    await unlock(vault)
    assert await vault.shares.unseal(LABEL) == SecretBytes(SHARE)


async def test_a_missing_token_costs_no_try(settings: Pkcs11Settings, clock: Clock) -> None:
    vault = Pkcs11Vault(replace(settings, token_label="elsewhere"), now_ms=clock)
    with pytest.raises(TokenMissing):
        await unlock(vault)
    assert (await vault.status()).retry_after_s == 0
    await vault.close()


async def test_a_token_of_another_member_is_refused(settings: Pkcs11Settings, clock: Clock) -> None:
    vault = Pkcs11Vault(replace(settings, member=MemberId("bob")), now_ms=clock)
    with pytest.raises(KeyCheckFailed, match="alice"):
        await unlock(vault)
    assert (await vault.status()).retry_after_s == 0
    await vault.close()


async def test_an_extractable_key_is_refused(vault: Pkcs11Vault, settings: Pkcs11Settings) -> None:
    with raw(settings) as session:
        destroy(session, KEK)
        new_kek(session, SENSITIVE=True, EXTRACTABLE=True)
    with pytest.raises(KeyCheckFailed, match="EXTRACTABLE"):
        await unlock(vault)
    assert not (await vault.status()).unlocked
    with pytest.raises(VaultLocked):
        await vault.wrapping.wrap("p", SecretBytes(bytes(32)))


async def test_a_key_that_is_not_sensitive_is_refused(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    with raw(settings) as session:
        destroy(session, KEK)
        new_kek(session, SENSITIVE=False, EXTRACTABLE=False)
    with pytest.raises(KeyCheckFailed, match="SENSITIVE"):
        await unlock(vault)


async def test_another_wrapping_key_is_refused(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    with raw(settings) as session:
        destroy(session, KEK)
        new_kek(session, SENSITIVE=True, EXTRACTABLE=False)
    with pytest.raises(KeyCheckFailed, match="not the one"):
        await unlock(vault)


@pytest.mark.parametrize("label", [KEK, PRESENCE])
async def test_a_missing_key_is_never_made_again(
    vault: Pkcs11Vault, settings: Pkcs11Settings, label: str
) -> None:
    with raw(settings) as session:
        destroy(session, label)
    with pytest.raises(KeyCheckFailed):
        await unlock(vault)
    with raw(settings) as session:
        kinds = {found.object_class for found in session.get_objects({Attribute.LABEL: label})}
    assert ObjectClass.SECRET_KEY not in kinds
    assert ObjectClass.PRIVATE_KEY not in kinds


async def test_a_wrapping_key_swapped_while_unlocked_never_seals(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    await unlock(vault)
    with (
        pkcs11.lib(str(settings.module))
        .get_token(token_label=settings.token_label)
        .open(rw=True) as session
    ):
        destroy(session, KEK)
        new_kek(session, SENSITIVE=True, EXTRACTABLE=False)
    with pytest.raises(HsmError):
        await vault.shares.seal(LABEL, SecretBytes(SHARE))
    assert await vault.shares.labels() == ()


async def test_flipped_bits_of_the_token_never_give_another_key(
    vault: Pkcs11Vault, settings: Pkcs11Settings, softhsm: SoftHsm
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    await vault.lock()
    configuration = os.environ["SOFTHSM2_CONF"]
    ends: Counter[int | None] = Counter()
    damaged = replace(LABEL, epoch=99)
    for path in sorted(softhsm.folder_of(settings.token_label).glob("*.object")):
        good = path.read_bytes()
        for place in range(9, len(good), len(good) // 6):
            bad = bytearray(good)
            bad[place] ^= 0x10
            path.write_bytes(bytes(bad))
            settings.backoff_file.unlink(missing_ok=True)
            # In a child, because a malformed object file can bring the library down.
            child = start(use_token, configuration, settings, USER_PIN, LABEL, SHARE)
            child.join(30)
            ends[child.exitcode] += 1
            path.write_bytes(good)
            if damaged in await vault.shares.labels():
                settings.backoff_file.unlink(missing_ok=True)
                library(settings.module).reset()
                await unlock(vault)
                assert await vault.shares.unseal(damaged) == SecretBytes(SHARE)
                await vault.shares.erase(damaged)
                await vault.lock()
    assert ends[WRONG] == 0
    assert ends[REFUSED] > 0
    assert ends[RIGHT] > 0


async def test_every_altered_byte_of_a_share_is_found(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    await unlock(vault)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    path = settings.shares_dir / record_name(LABEL)
    assert path.stat().st_mode & 0o777 == 0o600
    good = path.read_bytes()
    assert SHARE not in good
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 0x01
        path.write_bytes(bytes(bad))
        with pytest.raises(SealBroken):
            await vault.shares.unseal(LABEL)
    for cut in (0, 2, 40, len(good) - 1):
        path.write_bytes(good[:cut])
        with pytest.raises(SealBroken):
            await vault.shares.unseal(LABEL)
    path.write_bytes(good + b"\0")
    with pytest.raises(SealBroken):
        await vault.shares.unseal(LABEL)
    path.write_bytes(good)
    assert await vault.shares.unseal(LABEL) == SecretBytes(SHARE)


async def test_a_share_moved_to_another_label_does_not_open(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    await unlock(vault)
    other = replace(LABEL, epoch=2)
    await vault.shares.seal(LABEL, SecretBytes(SHARE))
    await vault.shares.seal(other, SecretBytes(b"the next epoch's share"))
    old = (settings.shares_dir / record_name(LABEL)).read_bytes()
    new_path = settings.shares_dir / record_name(other)
    new = new_path.read_bytes()
    new_path.write_bytes(old)
    with pytest.raises(SealBroken):
        await vault.shares.unseal(other)
    assert await vault.shares.labels() == (LABEL,)
    # The new header before the old seal: only the associated data tells.
    new_path.write_bytes(new[: new.index(b"\0\0\0\x08") + 12] + old[-(28 + len(SHARE)) :])
    with pytest.raises(SealBroken):
        await vault.shares.unseal(other)


async def test_a_failed_open_leaves_the_vault_unlocked(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    await unlock(vault)
    with pytest.raises(SealBroken):
        await vault.wrapping.unwrap("p", b"\x01" + bytes(60))
    assert (await vault.status()).unlocked


async def test_a_torn_anchor_leaves_the_older_one(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    await unlock(vault)
    await vault.anchor.write(HeadAnchor(1, b"1" * 32))
    await vault.anchor.write(HeadAnchor(2, b"2" * 32))
    await vault.lock()
    with raw(settings) as session:
        newest = max(
            session.get_objects({Attribute.LABEL: HEAD}), key=lambda found: found[Attribute.VALUE]
        )
        value = newest[Attribute.VALUE]
        newest.destroy()
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.DATA,
                Attribute.TOKEN: True,
                Attribute.PRIVATE: True,
                Attribute.LABEL: HEAD,
                Attribute.VALUE: value[:-3],
            }
        )
    await unlock(vault)
    assert await vault.anchor.read() == HeadAnchor(1, b"1" * 32)
    await vault.anchor.write(HeadAnchor(3, b"3" * 32))
    assert await vault.anchor.read() == HeadAnchor(3, b"3" * 32)


async def test_a_token_without_any_anchor_is_a_fault_not_a_new_ledger(
    vault: Pkcs11Vault, settings: Pkcs11Settings
) -> None:
    with raw(settings) as session:
        destroy(session, HEAD)
    await unlock(vault)
    with pytest.raises(HsmError, match="head"):
        await vault.anchor.read()


async def test_two_anchors_are_kept(vault: Pkcs11Vault, settings: Pkcs11Settings) -> None:
    await unlock(vault)
    for sequence in range(1, 6):
        await vault.anchor.write(HeadAnchor(sequence, bytes(32)))
    await vault.lock()
    with raw(settings) as session:
        assert len(list(session.get_objects({Attribute.LABEL: HEAD}))) == 2
        create_head(session, 1, HeadAnchor(1, bytes(32)))
    await unlock(vault)
    assert await vault.anchor.read() == HeadAnchor(5, bytes(32))


def test_a_token_is_set_up_once(softhsm: SoftHsm, settings: Pkcs11Settings) -> None:
    with pytest.raises(HsmError, match="already"):
        provision(settings, SecretBytes(USER_PIN))
    with pytest.raises(HsmError, match="already"):
        initialise_token(
            softhsm.module, settings.token_label, SecretBytes(SO_PIN), SecretBytes(USER_PIN)
        )


def test_provisioning_with_a_wrong_pin_makes_nothing(
    softhsm: SoftHsm, tmp_path: Path, clock: Clock
) -> None:
    settings = softhsm.settings(tmp_path, softhsm.blank())
    how = SetUp(identifier=bytes(16), now_ms=clock)
    pin = SecretBytes(b"000000")
    with pytest.raises(WrongPin):
        provision(settings, pin, how)
    assert pin.wiped
    with pytest.raises(PinLocked, match="next try"):
        provision(settings, SecretBytes(USER_PIN), how)
    clock.advance(1)
    assert len(provision(settings, SecretBytes(USER_PIN), how)) == 65
    assert not settings.backoff_file.exists()


class _Flagged:
    """A token that reports flags of its own and takes no login."""

    def __init__(self, token: Token, flags: TokenFlag) -> None:
        self._token = token
        self.flags = flags
        self.logins = 0
        self.slot_id = 0

    @property
    def slot(self) -> "_Flagged":
        return self

    def get_token(self) -> "_Flagged":
        return self

    def __getattr__(self, name: str) -> object:
        return getattr(self._token, name)

    def open(self, rw: bool = False, user_pin: str | None = None) -> Session:
        self.logins += user_pin is not None
        return self._token.open(rw=rw, user_pin=user_pin)


class _FlaggedLibrary(Library):
    def __init__(self, module: Path, flags: TokenFlag) -> None:
        super().__init__(module)
        self._flags = flags
        self.seen: list[_Flagged] = []

    def find(self, choice: TokenChoice) -> Token:
        self.seen.append(_Flagged(super().find(choice), self._flags))
        return self.seen[-1]  # type: ignore[return-value]


@pytest.mark.parametrize("flag", [TokenFlag.USER_PIN_LOCKED, TokenFlag.USER_PIN_FINAL_TRY])
async def test_a_locked_pin_or_a_final_try_is_never_tried(
    settings: Pkcs11Settings, clock: Clock, flag: TokenFlag
) -> None:
    module = _FlaggedLibrary(settings.module, flag)
    vault = Pkcs11Vault(settings, now_ms=clock, module=module)
    with pytest.raises(PinLocked) as refused:
        await unlock(vault)
    assert refused.value.retry_after_s is None
    assert not any(token.logins for token in module.seen)
    assert (await vault.status()).attempts_left == int(flag is TokenFlag.USER_PIN_FINAL_TRY)
    await vault.close()

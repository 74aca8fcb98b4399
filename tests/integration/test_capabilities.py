"""What a token lacks is told before the first key is made, and nothing is left on it."""

from importlib import import_module
from pathlib import Path

import pytest

from console.application.errors import HsmError, LastTryLeft, PinLocked, WrongPin
from console.protocols.kernel.secret import SecretBytes
from hsm import capabilities as names
from hsm.capabilities import Capabilities, TokenInsufficient
from hsm.library import TokenChoice, library
from hsm.provision import check_token, initialise_token, provision
from hsm.removal import SetUp
from hsm.vault import Pkcs11Vault
from tests.contract.vaults import Clock
from tests.shim import BROKEN_GCM, NO_AES, NO_EC, NO_GCM, NO_SEAL, Shim
from tests.softhsm import SO_PIN, USER_PIN

pytestmark = pytest.mark.hsm

LISTED = [
    (NO_SEAL, {names.SEAL: "AES_KEY_GEN is not listed; RSA_PKCS_OAEP is not listed"}),
    ((NO_EC,), {names.IDENTITY_KEY: "ECDSA is not", names.PRESENCE_KEY: "EC_KEY_PAIR_GEN"}),
    (("read-only",), {names.WRITABLE: "write-protected"}),
]
TRIED = [
    (
        ("break=0x1080", "break=0x9"),
        {names.SEAL: "AES-GCM with an IV of ours: refused with MechanismInvalid"},
    ),
    (("sessions=1",), {names.SESSIONS: "SessionCount"}),
    (
        ("no-reauth", "shared-login"),
        {names.PRESENCE_KEY: "signs without the PIN; the token's login holds for other processes"},
    ),
    (("break=0x1041",), {names.IDENTITY_KEY: "Mechanism"}),
]


def check(
    shim: Shim, folder: Path, label: str, pin: bytes | None, how: SetUp | None = None
) -> Capabilities:
    return check_token(
        shim.settings(folder, label),
        None if pin is None else SecretBytes(pin),
        how or SetUp(identifier=bytes(16)),
    )


def missing(table: Capabilities) -> dict[str, str]:
    return {row.name: row.found for row in table.missing}


def require(found: dict[str, str], expected: dict[str, str]) -> None:
    assert found.keys() == expected.keys()
    for name, part in expected.items():
        assert part in found[name]


def test_softhsm_suffices_and_nothing_is_left_on_it(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    table = check(shim, tmp_path, label, USER_PIN)
    assert table.known
    assert not table.missing
    assert shim.objects(label) == 0
    assert not any(tmp_path.iterdir())


def test_without_the_pin_nothing_is_tried(shim: Shim, tmp_path: Path) -> None:
    label = shim.token()
    shim.restrict(BROKEN_GCM, "no-data", "tries=1")
    table = check(shim, tmp_path, label, None)
    assert not table.missing
    assert not table.known
    assert {row.name for row in table.rows if row.fits} == {names.PIN, names.WRITABLE, names.ROOM}


@pytest.mark.parametrize(("words", "expected"), [*LISTED, *TRIED])
def test_the_check_names_what_is_missing(
    shim: Shim, tmp_path: Path, words: tuple[str, ...], expected: dict[str, str]
) -> None:
    label = shim.token()
    shim.restrict(*words)
    require(missing(check(shim, tmp_path, label, USER_PIN)), expected)
    assert shim.objects(label) == 0


@pytest.mark.parametrize(("words", "expected"), [*LISTED, *TRIED])
def test_a_set_up_refuses_for_the_same_reason_and_makes_nothing(
    shim: Shim, tmp_path: Path, words: tuple[str, ...], expected: dict[str, str]
) -> None:
    label = shim.token()
    shim.restrict(*words)
    with pytest.raises(TokenInsufficient) as refused:
        provision(shim.settings(tmp_path, label), SecretBytes(USER_PIN))
    for name, part in expected.items():
        assert name in str(refused.value)
        assert part in str(refused.value)
    assert shim.objects(label) == 0
    shim.restrict()
    assert len(provision(shim.settings(tmp_path, label), SecretBytes(USER_PIN))) == 65


@pytest.mark.parametrize(("words", "_"), LISTED)
def test_what_the_list_denies_costs_no_pin_try(
    shim: Shim, tmp_path: Path, words: tuple[str, ...], _: object
) -> None:
    settings = shim.settings(tmp_path, shim.token())
    shim.restrict(*words)
    with pytest.raises(TokenInsufficient):
        provision(settings, SecretBytes(b"000000"))
    assert missing(check(shim, tmp_path, settings.token_label, b"000000"))
    assert not settings.backoff_file.exists()


def test_a_blank_token_that_does_not_suffice_is_not_initialised(shim: Shim) -> None:
    shim.restrict(*NO_SEAL)
    with pytest.raises(TokenInsufficient, match="AES_KEY_GEN"):
        initialise_token(shim.module, "never", SecretBytes(SO_PIN), SecretBytes(USER_PIN))
    shim.restrict()
    library(shim.module).reset()
    with pytest.raises(HsmError, match="never"):
        library(shim.module).find(TokenChoice(label="never"))


@pytest.mark.parametrize(
    ("words", "tried", "used"),
    [
        ((), "sealed and opened", "AES-GCM with an IV of ours"),
        (("iv-appended",), "appends it", "AES-GCM with the token's own IV, appended"),
        (("iv-written",), "IV of ours", "AES-GCM with the token's own IV, written back"),
        (("iv-appended", "iv-constant"), "appended: it seals twice with one IV", "AES key wrap"),
        (("iv-written", "iv-constant"), "back: it seals twice with one IV", "AES key wrap"),
        (("iv-appended", "iv-zero"), "appended an IV of zeros", "AES key wrap"),
        ((BROKEN_GCM,), "MechanismInvalid", "AES key wrap"),
        ((NO_GCM, "break=0x2109"), "AES key wrap: refused", "AES key wrap with padding"),
        ((NO_GCM, "hide=0x2109", "hide=0x210a"), "sealed", "AES-CBC with HMAC-SHA-256"),
        (("break=0x1081", "hide=0x2109", "hide=0x210a"), "IV of ours", "AES-CBC with HMAC-SHA-256"),
        ((NO_AES,), "RSA-OAEP with SHA-256: refused", "RSA-OAEP with SHA-1"),
    ],
)
def test_the_first_method_of_sealing_that_works_is_told_and_used(
    shim: Shim, tmp_path: Path, words: tuple[str, ...], tried: str, used: str
) -> None:
    label = shim.token()
    shim.restrict(*words)
    listed = next(row for row in check(shim, tmp_path, label, None).rows if row.name == names.SEAL)
    assert listed.fits is None
    assert used in listed.used
    table = check(shim, tmp_path, label, USER_PIN)
    row = next(row for row in table.rows if row.name == names.SEAL)
    assert (row.used, row.fits) == (used, True)
    assert tried in row.found
    assert table.sealing is not None
    assert table.sealing.name == used
    assert shim.objects(label) == 0


async def test_a_token_in_use_has_no_room_and_keeps_its_keys(shim: Shim, tmp_path: Path) -> None:
    settings = shim.settings(tmp_path, shim.token())
    provision(settings, SecretBytes(USER_PIN))
    before = shim.objects(settings.token_label)
    for pin in (None, USER_PIN):
        table = check(shim, tmp_path, settings.token_label, pin)
        assert missing(table).keys() == {names.ROOM}
    with pytest.raises(HsmError, match="already"):
        provision(settings, SecretBytes(USER_PIN))
    assert shim.objects(settings.token_label) == before
    vault = Pkcs11Vault(settings)
    await vault.unlock(SecretBytes(USER_PIN))
    await vault.close()


def test_a_token_that_is_gone_is_missing_and_not_insufficient(shim: Shim, tmp_path: Path) -> None:
    settings = shim.settings(tmp_path, shim.token())
    shim.restrict("gone")
    with pytest.raises(HsmError) as refused:
        check(shim, tmp_path, settings.token_label, USER_PIN)
    assert not isinstance(refused.value, TokenInsufficient)
    shim.restrict()
    library(shim.module).reset()
    assert not check(shim, tmp_path, settings.token_label, USER_PIN).missing


@pytest.mark.parametrize("told", [(), ("quiet",)])
@pytest.mark.parametrize("set_up", [True, False])
def test_wrong_pins_never_lock_a_token_of_three_tries(
    shim: Shim, tmp_path: Path, told: tuple[str, ...], set_up: bool
) -> None:
    settings, clock = shim.settings(tmp_path, shim.token()), Clock()
    shim.restrict("tries=3", *told)

    def attempt(pin: bytes, *, last_try: bool = False) -> None:
        how = SetUp(identifier=bytes(16), last_try=last_try, now_ms=clock)
        if set_up:
            provision(settings, SecretBytes(pin), how)
        else:
            check(shim, tmp_path, settings.token_label, pin, how)

    refusals: list[type[Exception]] = []
    for _ in range(8):
        with pytest.raises(HsmError) as refused:
            attempt(b"000000")
        refusals.append(refused.type)
        clock.advance(1000)
    assert refusals == [WrongPin] * 2 + [LastTryLeft] * 6
    with pytest.raises(PinLocked, match="--last-try"):
        attempt(USER_PIN)
    attempt(USER_PIN, last_try=True)
    assert not settings.backoff_file.exists()


def test_a_locked_token_is_not_tried_even_when_told_to(shim: Shim, tmp_path: Path) -> None:
    settings, clock = shim.settings(tmp_path, shim.token()), Clock()
    shim.restrict("tries=1")
    with pytest.raises(PinLocked, match="--last-try"):
        provision(settings, SecretBytes(USER_PIN), SetUp(identifier=bytes(16)))
    how = SetUp(identifier=bytes(16), last_try=True, now_ms=clock)
    with pytest.raises(WrongPin):
        provision(settings, SecretBytes(b"000000"), how)
    clock.advance(1000)
    with pytest.raises(TokenInsufficient, match="locked"):
        provision(settings, SecretBytes(USER_PIN), how)
    assert "locked" in missing(check(shim, tmp_path, settings.token_label, None))[names.PIN]


def test_a_try_is_counted_before_it_is_made(
    shim: Shim, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = shim.settings(tmp_path, shim.token())

    class Killed(BaseException):
        pass

    def kill(*_: object) -> str:
        raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(import_module("hsm.provision"), "pin_text", kill)
        with pytest.raises(Killed):
            provision(settings, SecretBytes(b"000000"))
    with pytest.raises(PinLocked, match="next try"):
        provision(settings, SecretBytes(USER_PIN))

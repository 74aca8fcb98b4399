"""The library's errors, as we understand them."""

import pytest
from pkcs11 import TokenFlag
from pkcs11 import exceptions as p11

from console.application.errors import (
    HsmError,
    PinLocked,
    TokenMissing,
    VaultLocked,
    WrongPin,
)
from hsm.faults import leaves_state_known, translate
from hsm.tries import refuse_locked
from hsm.vendors import vendor_of


@pytest.mark.parametrize(
    ("kind", "meaning", "known"),
    [
        (p11.PinIncorrect, WrongPin, True),
        (p11.PinLenRange, WrongPin, True),
        (p11.PinLocked, PinLocked, True),
        (p11.PinExpired, PinLocked, True),
        (p11.TokenNotPresent, TokenMissing, False),
        (p11.DeviceRemoved, TokenMissing, False),
        (p11.UserNotLoggedIn, VaultLocked, False),
        (p11.UserAlreadyLoggedIn, HsmError, False),
        (p11.ObjectHandleInvalid, HsmError, False),
        (p11.NoSuchKey, HsmError, False),
        (p11.GeneralError, HsmError, False),
        (p11.DeviceError, HsmError, False),
        (p11.SessionHandleInvalid, HsmError, False),
    ],
)
def test_each_error_has_one_meaning(
    kind: type[p11.PKCS11Error], meaning: type[HsmError], known: bool
) -> None:
    assert type(translate(kind)) is meaning
    assert leaves_state_known(kind) is known


def test_every_error_of_the_library_is_translated() -> None:
    kinds = [kind for kind in vars(p11).values() if isinstance(kind, type)]
    assert len(kinds) > 50
    for kind in kinds:
        assert isinstance(translate(kind), HsmError)


@pytest.mark.parametrize("flag", [TokenFlag.USER_PIN_LOCKED, TokenFlag.USER_PIN_FINAL_TRY])
def test_a_locked_pin_and_a_final_try_are_refused(flag: TokenFlag) -> None:
    with pytest.raises(PinLocked):
        refuse_locked(flag | TokenFlag.LOGIN_REQUIRED)


def test_a_low_count_is_still_a_try() -> None:
    refuse_locked(TokenFlag.USER_PIN_COUNT_LOW)


def test_softhsm_is_for_tests_and_software_is_not_taken_for_hardware() -> None:
    assert vendor_of("SoftHSM project", "SoftHSM v2").for_tests_only
    for maker, model in (
        ("SoftHSM project", "SoftHSM v2"),
        ("Kryoptic Project", "v1"),
        ("IBM", "Soft"),
        ("Mozilla Foundation", "NSS 3"),
        ("IBM", "EP11"),
        ("Another maker", "One"),
    ):
        vendor = vendor_of(maker, model)
        assert not vendor.for_production
        assert "hardware" in vendor.backing
        assert vendor.for_tests_only is maker.startswith("SoftHSM")

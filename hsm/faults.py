"""The PKCS#11 library's errors as ours: one table, used around every call."""

from pkcs11 import exceptions as p11

from console.application.errors import (
    HsmError,
    PinLocked,
    TokenMissing,
    VaultLocked,
    WrongPin,
)

_WRONG_PIN = (p11.PinIncorrect, p11.PinInvalid, p11.PinLenRange)
_ABSENT = (
    p11.DeviceRemoved,
    p11.NoSuchToken,
    p11.SlotIDInvalid,
    p11.TokenNotPresent,
    p11.TokenNotRecognised,
)
# Errors that leave the session usable. After any other the token's state is not known: a handle
# may be invalid, and the library may behave as if keys were absent.
_HARMLESS = (*_WRONG_PIN, p11.PinLocked, p11.PinExpired)

_LOST = (*_ABSENT, p11.DeviceError, p11.SessionClosed, p11.SessionHandleInvalid)

REFUSED_CIPHERTEXT = (
    p11.EncryptedDataInvalid,
    p11.EncryptedDataLenRange,
    # SoftHSM's only error for a tag that does not match.
    p11.GeneralError,
    p11.FunctionFailed,
)


def is_lost(kind: type[p11.PKCS11Error]) -> bool:
    """Return whether the token is lost; the error then tells nothing of what it can do."""
    return issubclass(kind, _LOST)


def leaves_state_known(kind: type[p11.PKCS11Error]) -> bool:
    """Return whether the session may be used after an error of this kind."""
    return issubclass(kind, _HARMLESS)


def translate(kind: type[p11.PKCS11Error], where: str = "") -> HsmError:
    """Return our error for the library's, without its text, which may quote inputs.

    `where` says which token, module and step failed.
    """
    what = f"the token {where}" if where else "the token"
    if issubclass(kind, _WRONG_PIN):
        return WrongPin("the token refused the PIN")
    if issubclass(kind, p11.PinLocked):
        return PinLocked("the token has locked the PIN; the security officer must unlock it")
    if issubclass(kind, p11.PinExpired):
        return PinLocked("the PIN has expired; the security officer must set a new one")
    if issubclass(kind, _ABSENT):
        return TokenMissing(f"{what} answered {kind.__name__}: it is missing")
    if issubclass(kind, p11.UserNotLoggedIn):
        return VaultLocked("the token has ended the login; unlock it again")
    return HsmError(
        f"{what} failed with {kind.__name__}; its state is not known, and the vault is locked"
    )

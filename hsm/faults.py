"""What the library's errors mean to us: one table, used at the edge of every call."""

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
# Errors after which the session is as good as before. After any other, nothing is known about
# the token: a handle may point nowhere, and the library may go on as if keys were absent.
_HARMLESS = (*_WRONG_PIN, p11.PinLocked, p11.PinExpired)

REFUSED_CIPHERTEXT = (
    p11.EncryptedDataInvalid,
    p11.EncryptedDataLenRange,
    # SoftHSM says only this for a tag that does not match.
    p11.GeneralError,
    p11.FunctionFailed,
)


def leaves_state_known(kind: type[p11.PKCS11Error]) -> bool:
    """Tell whether the session may be used after an error of this kind."""
    return issubclass(kind, _HARMLESS)


def translate(kind: type[p11.PKCS11Error]) -> HsmError:
    """Return our error for the library's; the library's text is dropped, it may quote inputs."""
    if issubclass(kind, _WRONG_PIN):
        return WrongPin("the token refused the PIN")
    if issubclass(kind, p11.PinLocked):
        return PinLocked("the token has locked the PIN; the security officer must unlock it")
    if issubclass(kind, p11.PinExpired):
        return PinLocked("the token says that the PIN has expired; the security officer renews it")
    if issubclass(kind, _ABSENT):
        return TokenMissing("the token is not there")
    if issubclass(kind, p11.UserNotLoggedIn):
        return VaultLocked("the token has logged us out; unlock it again")
    return HsmError(f"the token failed with {kind.__name__}; its state is not known")

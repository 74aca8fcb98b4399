"""Trials: what no mechanism list tells, tried in a logged-in session with objects that vanish."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from pkcs11 import Attribute, GCMParams, Mechanism
from pkcs11 import exceptions as p11
from pkcs11.types import Object, Session, Token

from console.application.errors import HsmError
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId
from hsm.anchor import create_head
from hsm.capabilities import (
    IDENTITY_KEY,
    KEY_RECORD,
    LEDGER_HEAD,
    PRESENCE_KEY,
    SEAL,
    SESSIONS,
    WRAPPING_KEY,
    Capabilities,
    Capability,
    survey,
)
from hsm.faults import REFUSED_CIPHERTEXT, is_lost
from hsm.keys import (
    KEK_TRAITS,
    PRESENCE_TRAITS,
    SIGNING_TRAITS,
    KeyRecord,
    SigningKey,
    WrappingKey,
    kek_check,
    require_traits,
    sign_checked,
)
from hsm.making import create_record, make_signing_key, make_wrapping_key, point_of

_LABEL = "quorate-trial"
_PLAIN, _BOUND = b"quorate/trial of thirty-two byte", b"quorate/trial"
_TAG = 16
_LONGEST_RECORD = len(KeyRecord(MemberId("m" * 32), bytes(65), bytes(65), bytes(32)).encode())


class _Unfit(Exception):
    """The token does something else than is needed; the message says what."""


def probe(token: Token, session: Session) -> Capabilities:
    """Return the whole table: what was left open by `survey` is tried in the logged-in `session`.

    Raises: PKCS11Error if the token is lost meanwhile.
    """
    table = survey(token)
    rows = [row if row.fits is not None else _tried(row, token, session) for row in table.rows]
    return replace(table, rows=tuple(rows))


def _tried(row: Capability, token: Token, session: Session) -> Capability:
    try:
        found = _TRIALS[row.name](token, session)
    except p11.PKCS11Error as error:
        if is_lost(type(error)):
            raise
        return replace(row, found=f"refused with {type(error).__name__}", fits=False)
    except (_Unfit, HsmError) as unfit:
        return replace(row, found=str(unfit), fits=False)
    return replace(row, found=found, fits=True)


@contextmanager
def _vanishing(*made: Object | object) -> Iterator[None]:
    """Destroy session objects after use: tokens have little room for them."""
    try:
        yield
    finally:
        for held in made:
            if isinstance(held, Object):
                with suppress(p11.PKCS11Error):
                    held.destroy()


def _identity(_: Token, session: Session) -> str:
    public, private = make_signing_key(
        session, _LABEL, SIGNING_TRAITS, secrets.token_bytes(16), stored=False
    )
    with _vanishing(public, private):
        require_traits(private, _passing(SIGNING_TRAITS), _LABEL)
        sign_checked(_signing(private), point_of(public), secrets.token_bytes(32))
    return "made, signed and verified"


def _presence(token: Token, _: Session) -> str:
    # In a session of its own: the refused operation stays open until the session ends.
    with token.open(rw=True) as session:
        public, private = make_signing_key(
            session, _LABEL, PRESENCE_TRAITS, secrets.token_bytes(16), stored=False
        )
        with _vanishing(public, private):
            require_traits(private, _passing(PRESENCE_TRAITS), _LABEL)
            try:
                sign_checked(_signing(private), point_of(public), secrets.token_bytes(32))
            except p11.UserNotLoggedIn:
                return "the key does not sign without the PIN"
    raise _Unfit("ALWAYS_AUTHENTICATE is stored, but the key signs without the PIN")


def _signing(key: Object) -> SigningKey:
    if not isinstance(key, SigningKey):
        raise _Unfit("the key cannot sign")
    return key


def _wrapping(_: Token, session: Session) -> str:
    kek = make_wrapping_key(session, secrets.token_bytes(16), stored=False)
    with _vanishing(kek):
        if isinstance(kek, Object):
            require_traits(kek, _passing(KEK_TRAITS), _LABEL)
        if kek_check(kek) != kek_check(kek):
            raise _Unfit("AES_ECB is not the same twice")
    return "made and used"


def _seal(_: Token, session: Session) -> str:
    kek = make_wrapping_key(session, secrets.token_bytes(16), stored=False)
    with _vanishing(kek):
        nonce = secrets.token_bytes(12)
        try:
            sealed, used = _sealed(kek, nonce)
        except p11.MechanismParamInvalid:
            # Some tokens want zeros, and write back the IV that they choose.
            used = _sealed(kek, bytes(12))[1]
            if any(used):
                raise _Unfit("AES_GCM chooses the IV itself and writes it back") from None
            raise
        if used != nonce:
            raise _Unfit("AES_GCM chooses the IV itself and writes it back")
        extra = len(sealed) - len(_PLAIN) - _TAG
        if extra in {12, 16}:
            raise _Unfit("AES_GCM chooses the IV itself and appends it")
        if extra:
            raise _Unfit(f"AES_GCM returns {len(sealed)} bytes for {len(_PLAIN)}: no tag of 16")
        if _opened(kek, nonce, sealed) != _PLAIN:
            raise _Unfit("AES_GCM does not open what it sealed")
        altered = bytes([sealed[0] ^ 1]) + sealed[1:]
        if _opened(kek, nonce, altered) is not None:
            raise _Unfit("AES_GCM opens altered data")
    return "sealed and opened; altered data was refused"


def _sealed(kek: WrappingKey, nonce: bytes) -> tuple[bytes, bytes]:
    """Return what was sealed, and the IV as the token left it."""
    # Parameters reach the token as they lie in memory: an object of this call alone.
    private = bytes(bytearray(nonce))
    sealed = kek.encrypt(
        _PLAIN, mechanism=Mechanism.AES_GCM, mechanism_param=GCMParams(private, aad=_BOUND)
    )
    return sealed, bytes(bytearray(private))


def _opened(kek: WrappingKey, nonce: bytes, sealed: bytes) -> bytes | None:
    how = GCMParams(nonce, aad=_BOUND)
    try:
        return kek.decrypt(sealed, mechanism=Mechanism.AES_GCM, mechanism_param=how)
    except REFUSED_CIPHERTEXT:
        return None


def _head(_: Token, session: Session) -> str:
    made = create_head(session, 0, HeadAnchor(0, bytes(32)), stored=False)
    with _vanishing(made):
        return f"{len(bytes(made[Attribute.VALUE]))} bytes were stored and read"


def _record(_: Token, session: Session) -> str:
    value = secrets.token_bytes(_LONGEST_RECORD)
    made = create_record(session, value, stored=False)
    with _vanishing(made):
        if bytes(made[Attribute.VALUE]) != value:
            raise _Unfit("a data object does not hold what was written")
        return f"{_LONGEST_RECORD} bytes were stored and read"


def _sessions(token: Token, _: Session) -> str:
    token.open().close()
    return "a second one was opened"


def _passing(traits: dict[Attribute, bool]) -> dict[Attribute, bool]:
    return {**traits, Attribute.TOKEN: False}


_TRIALS: dict[str, Callable[[Token, Session], str]] = {
    IDENTITY_KEY: _identity,
    PRESENCE_KEY: _presence,
    WRAPPING_KEY: _wrapping,
    SEAL: _seal,
    LEDGER_HEAD: _head,
    KEY_RECORD: _record,
    SESSIONS: _sessions,
}

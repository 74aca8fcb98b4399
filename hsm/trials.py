"""Trials: what no mechanism list tells, tried in a logged-in session with objects that vanish."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from pkcs11 import Attribute
from pkcs11 import exceptions as p11
from pkcs11.types import Object, Session, Token

from console.application.errors import HsmError
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId
from console.sealing.envelope import MAX_SEALED_KEY
from hsm.anchor import create_head
from hsm.capabilities import (
    IDENTITY_KEY,
    KEY_RECORD,
    LEDGER_HEAD,
    PRESENCE_KEY,
    SEAL,
    SESSIONS,
    Capabilities,
    Capability,
    affirmed,
    survey,
)
from hsm.faults import is_lost
from hsm.keys import PRESENCE_TRAITS, SIGNING_TRAITS, KeyRecord, SigningKey, sign_checked
from hsm.making import create_record, make_signing_key, point_of
from hsm.signed_files import IN_FILES
from hsm.wrapping_methods import GcmKey, SealingKey, require_traits

_LABEL = "quorate-trial"
_PLAIN, _BOUND = b"quorate/trial of thirty-two byte", b"quorate/trial"
_IN_FILES = (LEDGER_HEAD, KEY_RECORD)
_LONGEST_RECORD = len(KeyRecord(MemberId("m" * 32), bytes(65), bytes(65), bytes(32), 255).encode())


class _Unfit(Exception):
    """The token does something else than is needed; the message says what."""


def probe(token: Token, session: Session, log_in_elsewhere: Callable[[], None]) -> Capabilities:
    """Return the whole table: what was left open by `survey` is tried in the logged-in `session`.

    `log_in_elsewhere` has another process log in with the PIN that was right here.
    Raises: PKCS11Error if the token is lost meanwhile.
    """
    table = survey(token)
    method: type[SealingKey] | None = None
    asks_again = True
    rows = []
    for row in table.rows:
        if row.fits is not None:
            rows.append(row)
        elif row.name == SEAL:
            method, found = _seal(token, session)
            used = "" if method is None else method.name
            rows.append(replace(row, found=found, used=used, fits=method is not None))
        else:
            tried = _tried(row, token, session)
            if row.name == PRESENCE_KEY and not tried.fits:
                asks_again = False
                tried = _tried_elsewhere(tried, log_in_elsewhere)
            rows.append(tried)
    in_files = any(row.name in _IN_FILES and not row.fits for row in rows)
    if in_files:
        rows = [_in_file(row) if row.name in _IN_FILES else row for row in rows]
    return replace(
        table, rows=tuple(rows), sealing=method, asks_again=asks_again, in_files=in_files
    )


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


def _in_file(row: Capability) -> Capability:
    return replace(row, used=f"a file signed by the identity key; {IN_FILES}", fits=True)


def _tried_elsewhere(row: Capability, log_in_elsewhere: Callable[[], None]) -> Capability:
    """Return the row of a token whose keys do not ask for the PIN: another process may."""
    try:
        log_in_elsewhere()
    except HsmError as error:
        return replace(row, found=f"{row.found}; {error}", fits=False)
    return replace(
        row,
        found=f"{row.found}; another process logged in with the PIN",
        used="login from another process",
        fits=True,
    )


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
        require_traits(private, SIGNING_TRAITS, _LABEL, stored=False)
        sign_checked(_signing(private), point_of(public), secrets.token_bytes(32))
    return "made, signed and verified"


def _presence(token: Token, _: Session) -> str:
    # In a session of its own: the refused operation stays open until the session ends.
    with token.open(rw=True) as session:
        public, private = make_signing_key(
            session, _LABEL, PRESENCE_TRAITS, secrets.token_bytes(16), stored=False
        )
        with _vanishing(public, private):
            require_traits(private, PRESENCE_TRAITS, _LABEL, stored=False)
            try:
                sign_checked(_signing(private), point_of(public), secrets.token_bytes(32))
            except p11.UserNotLoggedIn:
                return "the key does not sign without the PIN"
    raise _Unfit("ALWAYS_AUTHENTICATE is stored, but the key signs without the PIN")


def _signing(key: Object) -> SigningKey:
    if not isinstance(key, SigningKey):
        raise _Unfit("the key cannot sign")
    return key


def _seal(token: Token, session: Session) -> tuple[type[SealingKey] | None, str]:
    """Return the first method that works, and why those before it do not."""
    refused = []
    for method in affirmed(token.slot):
        try:
            _try_method(method, session)
        except p11.PKCS11Error as error:
            if is_lost(type(error)):
                raise
            refused.append(f"{method.name}: refused with {type(error).__name__}")
        except (_Unfit, HsmError) as unfit:
            refused.append(f"{method.name}: {unfit}")
        else:
            refused.append("sealed and opened; altered data was refused")
            return method, "; ".join(refused)
    return None, "; ".join(refused)


def _try_method(method: type[SealingKey], session: Session) -> None:
    key = method.make(session, lambda _: secrets.token_bytes(16), stored=False)
    with _vanishing(*key.objects()):
        key.require_traits(stored=False)
        if key.check_value() != key.check_value():
            raise _Unfit("its check value is not the same twice")
        sealed = key.seal(_BOUND, _PLAIN, secrets.token_bytes)
        if len(sealed) > MAX_SEALED_KEY:
            raise _Unfit(f"32 bytes become {len(sealed)}")
        again = key.seal(_BOUND, _PLAIN, secrets.token_bytes)
        if isinstance(key, GcmKey) and key.iv_of(sealed) == key.iv_of(again):
            # Two seals under one IV give GCM's authentication key away.
            raise _Unfit("it seals twice with one IV")
        if key.open(_BOUND, sealed) != _PLAIN:
            raise _Unfit("it does not open what it sealed")
        for altered in (bytes([sealed[0] ^ 1]) + sealed[1:], sealed[:-1] + bytes([sealed[-1] ^ 1])):
            if key.open(_BOUND, altered) is not None:
                raise _Unfit("it opens altered data")
        if key.open(_BOUND + b"?", sealed) is not None:
            raise _Unfit("it opens data of another label")


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


_TRIALS: dict[str, Callable[[Token, Session], str]] = {
    IDENTITY_KEY: _identity,
    PRESENCE_KEY: _presence,
    LEDGER_HEAD: _head,
    KEY_RECORD: _record,
    SESSIONS: _sessions,
}

"""Provisioning: a fresh token, and the member's keys in it, generated only once.

A set-up has an identifier, which its keys carry as CKA_ID. So what an interrupted set-up left is
told from the keys of a member: only the former is removed.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from pkcs11 import Attribute, ObjectClass, TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import Object, Session, Slot, Token

from console.application.errors import HsmError, KeyCheckFailed
from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import PinBackoff
from hsm.anchor import HEAD, create_head, is_unwritten
from hsm.capabilities import ROOM, Capabilities, Capability, require_mechanisms, survey
from hsm.faults import is_lost, translate
from hsm.keys import (
    IDENTITY,
    PRESENCE,
    PRESENCE_TRAITS,
    RECORD,
    SIGNING_TRAITS,
    KeyRecord,
    holds_record,
    load_keys,
    read_record,
)
from hsm.library import Library, TokenChoice, library, serial_of
from hsm.making import (
    create_record,
    identifier_of,
    make_signing_key,
    point_of,
)
from hsm.presence_check import check_elsewhere
from hsm.signed_files import SignedFiles, sign_record
from hsm.trials import probe
from hsm.tries import counted, pin_text
from hsm.vault import Pkcs11Settings
from hsm.wrapping_methods import KEK, MAC, SealingKey

_T = TypeVar("_T")
_LABEL_SIZE = 32
_OVER = (
    "this set-up is over: a ledger has been written with its keys, so they belong to a member and "
    "are not removed. The member's directory is an old copy; restore a later one"
)
_KEYS = (IDENTITY, PRESENCE, KEK, MAC)


class SetUpUnfinished(HsmError):
    """What a failed set-up made is still in the token; the next one with its id removes it."""


class SetUpOver(HsmError):
    """What a set-up made is a member's by now, and is not removed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """How a token is set up. `identifier` is kept by the caller until the set-up is over.

    `last_try` permits a PIN try that may be the token's last.
    """

    identifier: bytes
    last_try: bool = False
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000


def initialise_token(module: Path, label: str, so_pin: SecretBytes, user_pin: SecretBytes) -> None:
    """Initialise a blank slot: label, security officer's PIN, user's PIN. Blocking.

    An initialised token is never changed. PINs stay in memory; they are no process arguments.
    Raises: TokenInsufficient, HsmError.
    """
    owner = library(module)
    with owner.lock:
        blank = _blank_slot(owner, label)
        require_mechanisms(blank)
        padded = label.encode("utf-8").ljust(_LABEL_SIZE)
        owner.functions().init_token(blank.slot_id, bytes(so_pin.reveal()), padded)
        failure: type[p11.PKCS11Error] | None = None
        try:
            token = owner.find(TokenChoice(label=label))
            with token.open(rw=True, so_pin=str(so_pin.reveal(), "utf-8", "replace")) as session:
                session.init_pin(str(user_pin.reveal(), "utf-8", "replace"))
        except p11.PKCS11Error as error:
            failure = type(error)
        if failure is not None:
            raise translate(failure)


def check_token(settings: Pkcs11Settings, user_pin: SecretBytes | None, how: SetUp) -> Capabilities:
    """Return what the token has of what a member needs; nothing is left in it. Blocking.

    Without a PIN nothing is tried. Wipes the PIN. Raises: TokenMissing, WrongPin, PinLocked,
    HsmError.
    """
    return _owned(settings, user_pin, lambda owner: _check(owner, settings, user_pin, how))


def provision(settings: Pkcs11Settings, user_pin: SecretBytes, how: SetUp | None = None) -> bytes:
    """Generate the member's keys in an initialised, empty token; return the identity key. Blocking.

    What an earlier set-up with the same identifier left is used if it is whole, else removed.
    Wipes `user_pin`. Raises: TokenMissing, WrongPin, PinLocked, TokenInsufficient, SetUpUnfinished,
    HsmError if the token holds objects of ours already.
    """
    chosen = how or SetUp(identifier=secrets.token_bytes(16))
    return _owned(settings, user_pin, lambda owner: _provision(owner, settings, user_pin, chosen))


def remove(settings: Pkcs11Settings, user_pin: SecretBytes, how: SetUp) -> None:
    """Remove what the set-up with this identifier made in the token, and nothing else. Blocking.

    Wipes `user_pin`. Raises: TokenMissing, WrongPin, PinLocked, HsmError; SetUpOver if a ledger has
    written its head, for then the keys are a member's.
    """
    _owned(settings, user_pin, lambda owner: _take_out(owner, settings, user_pin, how))


def _take_out(owner: Library, settings: Pkcs11Settings, user_pin: SecretBytes, how: SetUp) -> None:
    token = owner.find(settings.choice)
    with _closing(owner, _login(token, settings, user_pin, how)) as session:
        ours = _left_by(session, how.identifier)
        if ours:
            _require_not_over(session, SignedFiles(settings.files_dir))
            _remove(session, ours)


def require_not_over(directory: Path) -> None:
    """Refuse if a ledger wrote its head in a member's directory: the set-up is over.

    What is in the token is looked at before anything is removed there. Raises: SetUpOver, HsmError.
    """
    if SignedFiles(directory).holds_written_head():
        raise SetUpOver(_OVER)


def _owned(
    settings: Pkcs11Settings, user_pin: SecretBytes | None, work: Callable[[Library], _T]
) -> _T:
    owner = library(settings.module)
    owner.claim(settings.choice.text)
    try:
        with owner.lock:
            failure: type[p11.PKCS11Error] | None = None
            try:
                return work(owner)
            except p11.PKCS11Error as error:
                failure = type(error)
            owner.reset_if_sole_owner()
            # Raised outside the handler, so that it references no frame that has the PIN.
            raise translate(failure)
    finally:
        if user_pin is not None:
            user_pin.wipe()
        owner.release(settings.choice.text)


def _check(
    owner: Library, settings: Pkcs11Settings, user_pin: SecretBytes | None, how: SetUp
) -> Capabilities:
    token = owner.find(settings.choice)
    table = survey(token)
    if user_pin is None or table.missing:
        with token.open() as session:
            return _with_room(table, session)
    with _closing(owner, _login(token, settings, user_pin, how)) as session:
        return _with_room(probe(token, session, _elsewhere(settings, token, user_pin)), session)


def _with_room(table: Capabilities, session: Session) -> Capabilities:
    held = [label for label in (*_KEYS, RECORD, HEAD) if _held(session, label)]
    row = Capability(
        name=ROOM,
        need="no keys of a member yet",
        found=f"holds {', '.join(held)}" if held else "none is there",
        used="up to four keys, three public keys and three data objects, each below 1 KB",
        fits=not held,
    )
    return replace(table, rows=(*table.rows, row))


def _login(token: Token, settings: Pkcs11Settings, pin: SecretBytes, how: SetUp) -> Session:
    def attempt() -> Session:
        return token.open(rw=True, user_pin=pin_text(pin))

    backoff = PinBackoff(settings.backoff_file, how.now_ms)
    return counted(token, backoff, attempt, last_try=how.last_try)


def _elsewhere(settings: Pkcs11Settings, token: Token, pin: SecretBytes) -> Callable[[], None]:
    choice = TokenChoice(label=token.label, serial=serial_of(token))
    return lambda: check_elsewhere(settings.module, choice, pin, settings.call_limit_s)


@contextmanager
def _closing(owner: Library, session: Session) -> Iterator[Session]:
    try:
        yield session
    finally:
        try:
            session.close()
        except p11.PKCS11Error:
            # Whether the token is still logged in is not known: end all sessions. What failed
            # before this is what is told.
            with suppress(HsmError):
                owner.reset()


def _provision(
    owner: Library, settings: Pkcs11Settings, user_pin: SecretBytes, how: SetUp
) -> bytes:
    token = owner.find(settings.choice)
    survey(token).require()
    with _closing(owner, _login(token, settings, user_pin, how)) as session:
        files = SignedFiles(settings.files_dir)
        ours = _left_by(session, how.identifier)
        if ours:
            with suppress(KeyCheckFailed):
                whole = read_record(session, settings.member, files.read_record)
                return load_keys(session, whole).record.identity_point
            _require_not_over(session, files)
            _remove(session, ours)
            files.remove()
        _require_empty(session)
        table = probe(token, session, _elsewhere(settings, token, user_pin))
        table.require()
        try:
            record, signed = _make(session, settings, how.identifier, table)
        except BaseException as error:  # Interrupted too: nothing half-made is left.
            if table.in_files:
                files.remove()
            lost = isinstance(error, p11.PKCS11Error) and is_lost(type(error))
            clean_up(session, how.identifier, lost=lost)
            raise
    with token.open() as session:
        if not record.heads_in_file and not holds_record(session):
            # A token that shows nothing before login: the record is needed before.
            files.write_record(signed)
    return record.identity_point


def _make(
    session: Session, settings: Pkcs11Settings, identifier: bytes, table: Capabilities
) -> tuple[KeyRecord, bytes]:
    """Make all objects; return the key record, and the same signed, as a file has it."""
    sealing = table.sealing
    if sealing is None:
        raise HsmError("no method of sealing was found")
    points = {PRESENCE: b""}
    kinds = {IDENTITY: SIGNING_TRAITS}
    if table.asks_again:
        kinds[PRESENCE] = PRESENCE_TRAITS
    for label, traits in kinds.items():
        named = identifier_of(identifier, label)
        made = make_signing_key(session, label, traits, named, stored=True)
        points[label] = point_of(made[0])
    kek = make_sealing_key(session, identifier, sealing)
    record = KeyRecord(
        member=settings.member,
        identity_point=points[IDENTITY],
        presence_point=points[PRESENCE],
        kek_check=kek.check_value(),
        method=sealing.code,
        heads_in_file=table.in_files,
    )
    nothing = HeadAnchor(0, bytes(32))
    if table.in_files:
        identity = load_keys(session, record).identity
        signed = sign_record(identity, record)
        files = SignedFiles(settings.files_dir)
        files.start_head(identity, record, 0, nothing)
        files.write_record(signed)
        return record, signed
    for _ in range(2):
        create_head(session, 0, nothing)
    # The record is written last: a token without it was not set up, whatever else it holds.
    create_record(session, record.encode(), stored=True)
    return record, sign_record(load_keys(session, record).identity, record)


def make_sealing_key(session: Session, identifier: bytes, sealing: type[SealingKey]) -> SealingKey:
    """Generate the keys that seal, with the set-up's identifier."""
    return sealing.make(session, lambda label: identifier_of(identifier, label), stored=True)


def _left_by(session: Session, identifier: bytes) -> list[Object]:
    """Return the keys that the set-up with this identifier made."""
    return [
        found
        for label in _KEYS
        for found in session.get_objects(
            {Attribute.LABEL: label, Attribute.ID: identifier_of(identifier, label)}
        )
    ]


def clean_up(session: Session, identifier: bytes, *, lost: bool) -> None:
    """Remove what the failed set-up made, unless the token is lost. Raises: SetUpUnfinished."""
    unfinished = lost
    if not lost:
        try:
            _remove(session, _left_by(session, identifier))
        except p11.PKCS11Error:
            unfinished = True
    if unfinished:
        raise SetUpUnfinished(
            "the token failed while it was set up, and some of what was made is still in it. "
            "Start the same set-up again: it removes that first"
        )


def _require_not_over(session: Session, files: SignedFiles) -> None:
    """Refuse to remove the keys of a member: what says that they are nobody's may be an old copy.

    Raises: SetUpOver.
    """
    written = any(not is_unwritten(found) for found in _found(session, HEAD))
    if written or files.holds_written_head():
        raise SetUpOver(_OVER)


def _remove(session: Session, keys: list[Object]) -> None:
    """Remove the objects of an unfinished set-up, its keys last: they tell whose the others are."""
    for label in (RECORD, HEAD):
        for found in _found(session, label):
            if label == RECORD or is_unwritten(found):
                found.destroy()
    for key in keys:
        key.destroy()


def _found(session: Session, label: str) -> list[Object]:
    return list(session.get_objects({Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: label}))


def _held(session: Session, label: str) -> bool:
    return any(True for _ in session.get_objects({Attribute.LABEL: label}))


def _require_empty(session: Session) -> None:
    for label in (*_KEYS, RECORD, HEAD):
        if _held(session, label):
            raise HsmError(f"the token already holds {label!r}; it is not set up a second time")


def _blank_slot(owner: Library, label: str) -> Slot:
    if not 1 <= len(label.encode("utf-8")) <= _LABEL_SIZE:
        raise HsmError("a token's label has 1 to 32 bytes")
    blank: Slot | None = None
    for slot in owner.handle().get_slots(token_present=True):
        token = slot.get_token()
        if not token.flags & TokenFlag.TOKEN_INITIALIZED:
            blank = slot
        elif token.label == label:
            raise HsmError(f"a token labelled {label!r} is there already")
    if blank is None:
        raise HsmError("no slot holds a blank token")
    return blank

"""Provisioning: a fresh token, and the member's keys in it, generated only once.

A set-up has an identifier, which its keys carry as CKA_ID. So what an interrupted set-up left is
told from the keys of a member: only the former is removed.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pkcs11 import Attribute, TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import Object, Session, Slot, Token

from console.application.errors import HsmError, KeyCheckFailed
from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from console.sealing.pin_backoff import PinBackoff
from hsm.anchor import HEAD, create_head
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
from hsm.removal import (
    KEYS,
    SetUp,
    TokenTaken,
    clean_up,
    left_by,
    points_of,
    require_alone,
    require_original,
    still_there,
    take_out,
)
from hsm.signed_files import SignedFiles, sign_record
from hsm.trials import probe
from hsm.tries import counted, pin_text, tries_file
from hsm.vault import Pkcs11Settings
from hsm.wrapping_methods import SealingKey

_T = TypeVar("_T")
_LABEL_SIZE = 32


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
        ours = left_by(session, how.identifier)
        if ours:
            take_out(session, ours, SignedFiles(settings.files_dir), how)


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
    held = [label for label in (*KEYS, RECORD, HEAD) if _held(session, label)]
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

    file = settings.backoff_file
    if how.tries_in is not None:
        file = tries_file(how.tries_in, settings.module, token)
    backoff = PinBackoff(file, how.now_ms)
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
        ours = left_by(session, how.identifier)
        if ours:
            with suppress(KeyCheckFailed):
                whole = read_record(session, settings.member, files.read_record)
                # Another set-up's may be whole beside what is left of this one.
                if whole.identity_point in points_of(ours):
                    return load_keys(session, whole).record.identity_point
            take_out(session, ours, files, how)
            files.remove()
        # A copy has the same identifier: what both make could not be told apart.
        require_original(how)
        _require_empty(session)
        table = probe(token, session, _elsewhere(settings, token, user_pin))
        table.require()
        # Again: what was tried took seconds, in which another set-up may have begun.
        _require_empty(session)
        made: list[Object] = []
        try:
            record, signed = _make(session, settings, how.identifier, table, made)
        except BaseException as error:  # Interrupted too: nothing half-made is left.
            if table.in_files:
                files.remove()
            lost = isinstance(error, p11.PKCS11Error) and is_lost(type(error))
            clean_up(session, how.identifier, made, lost=lost)
            raise
    try:
        with token.open() as session:
            if not record.heads_in_file and not holds_record(session):
                # A token that shows nothing before login: the record is needed before.
                files.write_record(signed)
    except (p11.PKCS11Error, HsmError):
        # The keys are whole: who asked must know that they are there.
        raise still_there() from None
    return record.identity_point


def _make(
    session: Session,
    settings: Pkcs11Settings,
    identifier: bytes,
    table: Capabilities,
    made: list[Object],
) -> tuple[KeyRecord, bytes]:
    """Make all objects; return the key record, and the same signed, as a file has it.

    `made` receives those that do not carry the identifier.
    """
    sealing = table.sealing
    if sealing is None:
        raise HsmError("no method of sealing was found")
    points = {PRESENCE: b""}
    kinds = {IDENTITY: SIGNING_TRAITS}
    if table.asks_again:
        kinds[PRESENCE] = PRESENCE_TRAITS
    for label, traits in kinds.items():
        named = identifier_of(identifier, label)
        public, _ = make_signing_key(session, label, traits, named, stored=True)
        points[label] = point_of(public)
    kek = make_sealing_key(session, identifier, sealing)
    # Of two set-ups that found the token empty, at least the later one sees the other's keys.
    require_alone(session, identifier)
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
    made.append(create_head(session, 0, nothing))
    made.append(create_head(session, 0, nothing))
    # The record is written last: a token without it was not set up, whatever else it holds.
    made.append(create_record(session, record.encode(), stored=True))
    return record, sign_record(load_keys(session, record).identity, record)


def make_sealing_key(session: Session, identifier: bytes, sealing: type[SealingKey]) -> SealingKey:
    """Generate the keys that seal, with the set-up's identifier."""
    return sealing.make(session, lambda label: identifier_of(identifier, label), stored=True)


def _held(session: Session, label: str) -> bool:
    return any(True for _ in session.get_objects({Attribute.LABEL: label}))


def _require_empty(session: Session) -> None:
    for label in (*KEYS, RECORD, HEAD):
        if _held(session, label):
            raise TokenTaken(
                f"the token already holds {label!r}, of a member or of another set-up; it is not "
                "set up a second time"
            )


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

"""Provisioning: a fresh token, and the member's keys in it, generated only once."""

import ctypes
from pathlib import Path

from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass, TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import PrivateKey, PublicKey, Session
from pkcs11.util.ec import encode_named_curve_parameters

from console.application.errors import HsmError
from console.application.ports.vault import HeadAnchor
from console.protocols.kernel.secret import SecretBytes
from hsm.anchor import create_head
from hsm.faults import translate
from hsm.keys import (
    APPLICATION,
    IDENTITY,
    KEK,
    KEK_TRAITS,
    PRESENCE,
    PRESENCE_TRAITS,
    RECORD,
    SIGNING_TRAITS,
    KeyRecord,
    WrappingKey,
    kek_check,
    load_keys,
)
from hsm.library import Library, library
from hsm.vault import Pkcs11Settings

_LABEL_SIZE = 32
# Attributes that a token sets by itself and does not accept in a template.
_DECIDED_BY_TOKEN = (Attribute.LOCAL, Attribute.ALWAYS_SENSITIVE, Attribute.NEVER_EXTRACTABLE)


def initialise_token(module: Path, label: str, so_pin: SecretBytes, user_pin: SecretBytes) -> None:
    """Initialise a blank slot: label, security officer's PIN, user's PIN. Blocking.

    An initialised token is never changed. PINs stay in memory; they are no process arguments.
    Raises: HsmError.
    """
    owner = library(module)
    with owner.lock:
        blank = _blank_slot(owner, label)
        _init_token(module, blank, label, so_pin)
        failure: type[p11.PKCS11Error] | None = None
        try:
            token = owner.find(label)
            with token.open(rw=True, so_pin=str(so_pin.reveal(), "utf-8", "replace")) as session:
                session.init_pin(str(user_pin.reveal(), "utf-8", "replace"))
        except p11.PKCS11Error as error:
            failure = type(error)
        if failure is not None:
            raise translate(failure)


def provision(settings: Pkcs11Settings, user_pin: SecretBytes) -> bytes:
    """Generate the member's keys in an initialised, empty token; return the identity key. Blocking.

    Wipes `user_pin`. Raises: TokenMissing, WrongPin, HsmError if it holds objects of ours.
    """
    owner = library(settings.module)
    owner.claim(settings.token_label)
    try:
        with owner.lock:
            failure: type[p11.PKCS11Error] | None = None
            try:
                return _provision(owner, settings, user_pin)
            except p11.PKCS11Error as error:
                failure = type(error)
            owner.reset_if_sole_owner()
            raise translate(failure)
    finally:
        user_pin.wipe()
        owner.release(settings.token_label)


def _provision(owner: Library, settings: Pkcs11Settings, user_pin: SecretBytes) -> bytes:
    token = owner.find(settings.token_label)
    with token.open(rw=True, user_pin=str(user_pin.reveal(), "utf-8", "replace")) as session:
        _require_empty(session)
        identity = _signing_key(session, IDENTITY, SIGNING_TRAITS)
        presence = _signing_key(session, PRESENCE, PRESENCE_TRAITS)
        kek = session.generate_key(
            KeyType.AES,
            256,
            label=KEK,
            store=True,
            capabilities=MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT,
            template=_template(KEK_TRAITS),
        )
        if not isinstance(kek, WrappingKey):
            raise HsmError("the token generated a key that cannot encrypt")
        for _ in range(2):
            create_head(session, 0, HeadAnchor(0, bytes(32)))
        record = KeyRecord(settings.member, identity, presence, kek_check(kek))
        # The record is written last: a token without it was not set up, whatever else it holds.
        session.create_object(
            {
                Attribute.CLASS: ObjectClass.DATA,
                Attribute.TOKEN: True,
                Attribute.PRIVATE: False,
                Attribute.MODIFIABLE: False,
                Attribute.LABEL: RECORD,
                Attribute.APPLICATION: APPLICATION,
                Attribute.VALUE: record.encode(),
            }
        )
        load_keys(session, record)
        return identity


def _signing_key(session: Session, label: str, traits: dict[Attribute, bool]) -> bytes:
    parameters = session.create_domain_parameters(
        KeyType.EC,
        {Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
        local=True,
    )
    made: tuple[PublicKey, PrivateKey] = parameters.generate_keypair(
        label=label,
        store=True,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        private_template=_template(traits),
    )
    point = bytes(made[0][Attribute.EC_POINT])
    # The standard wraps the point in an OCTET STRING; some tokens return it bare.
    if len(point) == 67 and point[:2] == b"\x04\x41":
        point = point[2:]
    if len(point) != 65 or point[0] != 4:
        raise HsmError("the token's public key is not an uncompressed P-256 point")
    return point


def _template(traits: dict[Attribute, bool]) -> dict[Attribute, bool]:
    chosen = {trait: value for trait, value in traits.items() if trait not in _DECIDED_BY_TOKEN}
    return {**chosen, Attribute.MODIFIABLE: False}


def _require_empty(session: Session) -> None:
    for label in (IDENTITY, PRESENCE, KEK, RECORD):
        if any(True for _ in session.get_objects({Attribute.LABEL: label})):
            raise HsmError(f"the token already holds {label!r}; it is not set up a second time")


def _blank_slot(owner: Library, label: str) -> int:
    if not 1 <= len(label.encode("utf-8")) <= _LABEL_SIZE:
        raise HsmError("a token's label has 1 to 32 bytes")
    blank = None
    for slot in owner.handle().get_slots(token_present=True):
        token = slot.get_token()
        if not token.flags & TokenFlag.TOKEN_INITIALIZED:
            blank = slot.slot_id
        elif token.label == label:
            raise HsmError(f"a token labelled {label!r} is there already")
    if blank is None:
        raise HsmError("no slot holds a blank token")
    return blank


def _init_token(module: Path, slot: int, label: str, so_pin: SecretBytes) -> None:
    """Call C_InitToken, which the Python library lacks, in the module that it has loaded."""
    call = ctypes.CDLL(str(module)).C_InitToken
    call.argtypes = [ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
    call.restype = ctypes.c_ulong
    padded = label.encode("utf-8").ljust(_LABEL_SIZE)
    result = call(slot, bytes(so_pin.reveal()), len(so_pin), padded)
    if result != 0:
        raise HsmError(f"the token cannot be initialised: error 0x{result:x}")

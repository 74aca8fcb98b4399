"""Finding and making the keys' objects, and the traits that each must have."""

from contextlib import suppress
from itertools import islice
from typing import Any, cast

from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11 import exceptions as p11
from pkcs11.types import Object, Session

from console.application.errors import KeyCheckFailed
from hsm.faults import is_lost

KEK = "quorate-kek"
MAC = "quorate-kek-mac"
AES_BITS = 256

SECRET_TRAITS = {
    Attribute.TOKEN: True,
    Attribute.PRIVATE: True,
    Attribute.LOCAL: True,
    Attribute.SENSITIVE: True,
    Attribute.ALWAYS_SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.NEVER_EXTRACTABLE: True,
    Attribute.DERIVE: False,
    Attribute.UNWRAP: False,
}
CIPHER_TRAITS = {
    **SECRET_TRAITS,
    Attribute.ENCRYPT: True,
    Attribute.DECRYPT: True,
    Attribute.WRAP: False,
    Attribute.SIGN: False,
}
# Attributes that a token sets by itself and does not accept in a template.
_DECIDED_BY_TOKEN = (Attribute.LOCAL, Attribute.ALWAYS_SENSITIVE, Attribute.NEVER_EXTRACTABLE)


def template(traits: dict[Attribute, bool], *, stored: bool) -> dict[Attribute, bool]:
    """Return the template that makes a key with these traits."""
    chosen = {trait: value for trait, value in traits.items() if trait not in _DECIDED_BY_TOKEN}
    return {**chosen, Attribute.TOKEN: stored, Attribute.MODIFIABLE: False}


def make_secret_key(
    session: Session,
    kind: KeyType,
    label: str,
    identifier: bytes,
    traits: dict[Attribute, bool],
    *,
    stored: bool,
) -> Object:
    """Generate a key of 256 bits in the token."""
    uses = MechanismFlag(0)
    for trait, flag in (
        (Attribute.ENCRYPT, MechanismFlag.ENCRYPT),
        (Attribute.DECRYPT, MechanismFlag.DECRYPT),
        (Attribute.SIGN, MechanismFlag.SIGN),
        (Attribute.WRAP, MechanismFlag.WRAP),
        (Attribute.UNWRAP, MechanismFlag.UNWRAP),
    ):
        if traits.get(trait):
            uses |= flag
    return session.generate_key(
        kind,
        AES_BITS,
        id=identifier,
        label=label,
        store=stored,
        capabilities=uses,
        template=template(traits, stored=stored),
    )


def require_traits(
    key: Object, traits: dict[Attribute, bool], name: str, *, stored: bool = True
) -> None:
    """Check a key's attributes. Raises: KeyCheckFailed naming the wrong ones."""
    expected = {**traits, Attribute.TOKEN: stored}
    found = _read(key, tuple(expected))
    wrong = [trait.name for trait, value in expected.items() if found.get(trait) is not value]
    if wrong:
        raise KeyCheckFailed(f"the key {name!r} must not be used: {', '.join(wrong)} is wrong")


def find_one(
    session: Session, kind: ObjectClass, label: str, key_type: KeyType, *, alone: bool = True
) -> Object:
    """Return the one key of this kind, label and type. Raises: KeyCheckFailed.

    If it need not be `alone`, the first that is found: one call less.
    """
    wanted = {Attribute.CLASS: kind, Attribute.LABEL: label, Attribute.KEY_TYPE: key_type}
    search = session.get_objects(wanted)
    found = only(list(search if alone else islice(search, 1)), label)
    # The library would read the type again at the first use.
    vars(found)["key_type"] = key_type
    return found


def handle_of(held: Object | Session) -> int:
    """Return a handle, for the module's own functions."""
    return int(cast("Any", held).handle)


def find_all(session: Session, kind: ObjectClass, label: str) -> list[Object]:
    """Return all objects of this kind and label that the session sees."""
    return list(session.get_objects({Attribute.CLASS: kind, Attribute.LABEL: label}))


def only(found: list[Object], label: str) -> Object:
    """Return the one object of a search. Raises: KeyCheckFailed."""
    if len(found) != 1:
        # An absent key is never generated again: the token may have been pulled out.
        raise KeyCheckFailed(f"the token holds {len(found)} objects {label!r} instead of one")
    return found[0]


def _read(key: Object, wanted: tuple[Attribute, ...]) -> dict[Attribute, object]:
    try:
        return key.get_attributes(list(wanted))
    except p11.PKCS11Error as error:
        if is_lost(type(error)):
            raise
    # Some tokens fail for all when one is missing.
    found: dict[Attribute, object] = {}
    for trait in wanted:
        with suppress(p11.AttributeTypeInvalid, p11.AttributeSensitive, p11.FunctionFailed):
            found[trait] = key[trait]
    return found

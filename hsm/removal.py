"""Removing what a set-up made in a token, and nothing of another's."""

from collections.abc import Iterable
from pathlib import Path

from pkcs11 import Attribute, ObjectClass
from pkcs11 import exceptions as p11
from pkcs11.types import Object, PublicKey, Session

from console.application.errors import HsmError, KeyCheckFailed
from hsm.anchor import HEAD, is_unwritten
from hsm.keys import IDENTITY, PRESENCE, RECORD, decode_record
from hsm.making import identifier_of, point_of
from hsm.signed_files import SignedFiles
from hsm.wrapping_methods import KEK, MAC
from hsm.wrapping_methods.objects import find_all, handle_of

KEYS = (IDENTITY, PRESENCE, KEK, MAC)
_OVER = (
    "this set-up is over: a ledger has been written with its keys, so they belong to a member and "
    "are not removed. The member's directory is an old copy; restore a later one"
)


class SetUpOver(HsmError):
    """What a set-up made is a member's by now, and is not removed."""


class SetUpUnfinished(HsmError):
    """What a failed set-up made is still in the token; the next one with its id removes it."""


def left_by(session: Session, identifier: bytes) -> list[Object]:
    """Return the keys that the set-up with this identifier made."""
    return [
        found
        for label in KEYS
        for found in session.get_objects(
            {Attribute.LABEL: label, Attribute.ID: identifier_of(identifier, label)}
        )
    ]


def require_alone(session: Session, identifier: bytes) -> None:
    """Refuse if the token has keys of another set-up beside those of this one. Raises: HsmError."""
    if _others(session, left_by(session, identifier)):
        raise HsmError("another set-up is making keys in this token; nothing of this one is left")


def require_not_over(directory: Path) -> None:
    """Refuse if a ledger wrote its head in the member's directory. Raises: SetUpOver, HsmError.

    What is in the token is looked at before anything is removed there.
    """
    _require_unwritten(SignedFiles(directory))


def take_out(session: Session, keys: list[Object], files: SignedFiles) -> None:
    """Remove what an earlier set-up made. Raises: SetUpOver, HsmError.

    What says that its keys are nobody's may be an old copy: the ledger's heads say whether it is.
    """
    _require_unwritten(files)
    if any(not is_unwritten(found) for found in find_all(session, ObjectClass.DATA, HEAD)):
        raise SetUpOver(_OVER)
    _remove(session, keys, [])


def clean_up(session: Session, identifier: bytes, made: list[Object], *, lost: bool) -> None:
    """Remove what the failed set-up made, unless the token is lost. Raises: SetUpUnfinished.

    `made` are objects that it made, besides its keys.
    """
    unfinished = lost
    if not lost:
        try:
            _remove(session, left_by(session, identifier), made)
        except p11.PKCS11Error:
            unfinished = True
    if unfinished:
        raise SetUpUnfinished(
            "the token failed while it was set up, and some of what was made is still in it. "
            "Start the same set-up again: it removes that first"
        )


def _require_unwritten(files: SignedFiles) -> None:
    if files.holds_written_head():
        raise SetUpOver(_OVER)


def _remove(session: Session, keys: list[Object], made: list[Object]) -> None:
    """Remove the objects of an unfinished set-up, its keys last: they tell whose the others are.

    A head names no key: where another set-up's keys are, only those in `made` are removed.
    """
    alone = not _others(session, keys)
    ours = _handles(made)
    points = _points(keys)
    for found in find_all(session, ObjectClass.DATA, RECORD):
        if handle_of(found) in ours or _is_of(found, points, damaged=alone):
            found.destroy()
    for found in find_all(session, ObjectClass.DATA, HEAD):
        if is_unwritten(found) and (alone or handle_of(found) in ours):
            found.destroy()
    for key in keys:
        key.destroy()


def _others(session: Session, keys: list[Object]) -> bool:
    """Return whether the token has keys of ours that are not among these."""
    known = _handles(keys)
    return any(
        handle_of(found) not in known
        for label in KEYS
        for found in list(session.get_objects({Attribute.LABEL: label}))
    )


def _is_of(record: Object, points: set[bytes], *, damaged: bool) -> bool:
    """Return whether a key record names one of these keys; `damaged` is told of one that is."""
    try:
        return decode_record(bytes(record[Attribute.VALUE])).identity_point in points
    except KeyCheckFailed:
        return damaged


def _points(keys: list[Object]) -> set[bytes]:
    return {point_of(key) for key in keys if isinstance(key, PublicKey)}


def _handles(held: Iterable[Object]) -> set[int]:
    return {handle_of(each) for each in held}

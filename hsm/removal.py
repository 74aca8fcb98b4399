"""Removing what a set-up made in a token, and nothing of another's."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pkcs11 import Attribute, ObjectClass
from pkcs11 import exceptions as p11
from pkcs11.types import Object, PublicKey, Session

from console.application.errors import HsmError, KeyCheckFailed
from hsm.anchor import HEAD, is_first, is_unwritten
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


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """How a token is set up, and what proves that keys in it are this set-up's and nobody's yet.

    `identifier` is kept by the caller until the set-up is over. `last_try` permits a PIN try that
    may be the token's last. Tries are counted in the folder `tries_in`, else in the settings' own
    file. `identity_key` is the key that the set-up is known to have made, b"" before it is.
    `original`: whether its directory is the one in which it began; None if that is not known.
    `before_removal` is called when the proof has held, before the first object is removed.
    """

    identifier: bytes
    last_try: bool = False
    now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    tries_in: Path | None = None
    identity_key: bytes = b""
    original: bool | None = True
    before_removal: Callable[[], None] = _nothing


class TokenTaken(HsmError):
    """The token has keys of a member, or of another set-up."""


class SetUpOver(HsmError):
    """What a set-up made is a member's by now, and is not removed."""


class SetUpUnproven(SetUpOver):
    """What a set-up made may be a member's by now, and is not removed."""


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
        raise TokenTaken("another set-up is making keys in this token; nothing of this one is left")


def require_not_over(directory: Path) -> None:
    """Refuse if a ledger wrote its head in the member's directory. Raises: SetUpOver, HsmError.

    What is in the token is looked at before anything is removed there.
    """
    _require_unwritten(SignedFiles(directory))


def take_out(session: Session, keys: list[Object], files: SignedFiles, how: SetUp) -> None:
    """Remove what an earlier set-up made. Raises: SetUpOver, SetUpUnproven, HsmError.

    What says that its keys are nobody's may be an old copy: the ledger's heads say whether it is.
    """
    _require_unwritten(files)
    heads = find_all(session, ObjectClass.DATA, HEAD)
    if not all(is_unwritten(found) for found in heads):
        raise SetUpOver(_OVER)
    require_original(how)
    points = points_of(keys)
    if how.identity_key and points and how.identity_key not in points:
        raise SetUpUnproven(
            "the keys in the token that carry this set-up's mark are not those that it has noted. "
            "None was removed"
        )
    # Once a set-up has noted its keys they have heads. What is not seen may be there.
    must_show = bool(how.identity_key) or (how.original is None and bool(points))
    if must_show and not any(is_first(found) for found in heads) and not _in_files(files, points):
        raise SetUpUnproven(
            "the token shows no head of a ledger, neither a written one nor the first, so that "
            "these keys may be a member's by now. None was removed"
        )
    how.before_removal()
    destroy(session, keys, [])


def require_original(how: SetUp) -> None:
    """Refuse in a directory that is known to be a copy. Raises: SetUpUnproven."""
    if how.original is False:
        raise SetUpUnproven(
            "this directory is a copy of the one in which the set-up began, or was moved, and the "
            "keys may be a member's by now. From here none is made or removed"
        )


def clean_up(session: Session, identifier: bytes, made: list[Object], *, lost: bool) -> None:
    """Remove what the failed set-up made, unless the token is lost. Raises: SetUpUnfinished.

    `made` are objects that it made, besides its keys.
    """
    unfinished = lost
    if not lost:
        try:
            destroy(session, left_by(session, identifier), made)
        except (p11.PKCS11Error, HsmError):
            unfinished = True
    if unfinished:
        raise still_there()


def still_there() -> SetUpUnfinished:
    """Return the error that says that keys of this set-up are in the token."""
    return SetUpUnfinished(
        "the token failed while it was set up, and some of what was made is still in it. "
        "Start the same set-up again: it uses that or removes it first"
    )


def _require_unwritten(files: SignedFiles) -> None:
    if files.holds_written_head():
        raise SetUpOver(_OVER)


def destroy(session: Session, keys: list[Object], made: list[Object]) -> None:
    """Remove the objects of an unfinished set-up, its keys last: they tell whose the others are.

    A head names no key: where another set-up's keys are, only those in `made` are removed.
    """
    alone = not _others(session, keys)
    ours = _handles(made)
    points = points_of(keys)
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


def _in_files(files: SignedFiles, points: set[bytes]) -> bool:
    """Return whether the files have the first head of one of these keys."""
    try:
        record = files.read_record()
        return (
            record is not None
            and record.identity_point in points
            and files.holds_first_head(record)
        )
    except KeyCheckFailed:
        return False


def points_of(keys: list[Object]) -> set[bytes]:
    """Return the points of the public keys among these. Raises: HsmError."""
    return {point_of(key) for key in keys if isinstance(key, PublicKey)}


def _handles(held: Iterable[Object]) -> set[int]:
    return {handle_of(each) for each in held}

"""Provisioning: a member's two keys in KMS, given or made, and the vault's files, made once.

A set-up has an identifier, which the keys it makes carry as a tag. So what an interrupted set-up
left is told from a member's keys: only the former is used again, or removed.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

from console.application.errors import HsmError, KeyCheckFailed, TokenMissing
from console.application.ports.vault import HeadAnchor
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import replace_file
from hsm.capabilities import Capabilities, TokenInsufficient
from hsm.keys import KeyRecord
from hsm.kms.calls import KeyKind, KmsCalls, KmsFault
from hsm.kms.keys import KMS_METHOD, KmsIdentity, check_value
from hsm.kms.lock_file import LOCK_FILE, make_lock, open_lock
from hsm.kms.place import KmsPlace
from hsm.kms.trials import probe
from hsm.kms.vault import KmsSettings
from hsm.removal import (
    SetUp,
    SetUpUnfinished,
    SetUpUnproven,
    require_not_over,
    require_original,
)
from hsm.signed_files import SignedFiles, sign_record

DELETED_AFTER_DAYS = 7
_MOST_KEYS = 1000
_SETTLING_TRIES, _SETTLING_S = 10, 1.0
_MAKING_S = 20.0
_T = TypeVar("_T")
_TOLD = (HsmError, TokenMissing, TokenInsufficient, KeyCheckFailed)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The identity key, and the place with both keys' ARNs."""

    identity_key: bytes
    place: KmsPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsSetUp(SetUp):
    """How keys are set up, and what proves that those in KMS are this set-up's and nobody's yet.

    `resumed`: an earlier call with this identifier may have left keys.
    """

    resumed: bool = False
    random: Callable[[int], bytes] = secrets.token_bytes
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class _Made:
    """The keys that this call made; `unsure` if there may be one more.

    `found` are those that an earlier call left. They are never removed because this one fails.
    """

    arns: dict[KeyKind, str] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    unsure: bool = False


def check_kms(settings: KmsSettings) -> Capabilities:
    """Return what the named keys have of what a member needs; nothing is left. Blocking.

    Raises: HsmError if KMS does not answer.
    """
    place = settings.place
    return _told(lambda: probe(_calls(settings, place), place, settings.member))


def provision_kms(settings: KmsSettings, passphrase: SecretBytes, how: KmsSetUp) -> Provisioned:
    """Make the keys that are not given, and the vault's files. Blocking. Wipes `passphrase`.

    If it fails, the keys that it made are deleted after `DELETED_AFTER_DAYS` days, and the message
    says so. Raises: TokenInsufficient, SetUpOver, SetUpUnproven, SetUpUnfinished, HsmError.
    """
    try:
        if len(passphrase) < settings.shortest_passphrase:
            raise HsmError(f"a passphrase has at least {settings.shortest_passphrase} bytes")
        if not settings.place.whole and (settings.place.sealing_key or settings.place.identity_key):
            raise HsmError("name both KMS keys, or none: then both are made")
        require_not_over(settings.folder)
        # A copy has the same identifier: what both make could not be told apart.
        require_original(how)
        made = _Made()
        with _undone_if_it_fails(settings, how, made):
            return _told(lambda: _provision(settings, passphrase, how, made))
    finally:
        passphrase.wipe()


def remove_kms(settings: KmsSettings, how: KmsSetUp) -> tuple[str, ...]:
    """Have the keys deleted that the set-up with this identifier made; return their ARNs. Blocking.

    Raises: SetUpOver if a ledger wrote its head, for then the keys are a member's; SetUpUnproven if
    they may be; HsmError.
    """
    require_not_over(settings.folder)
    return _told(lambda: _remove(settings, how))


def alias_of(member: MemberId, identifier: bytes, kind: KeyKind) -> str:
    """Return the alias of a key that a set-up makes, for those who see the account's keys."""
    return f"alias/quorate-{member}-{identifier.hex()[:8]}-{kind.word}"


def tags_of(member: MemberId, identifier: bytes, kind: KeyKind) -> dict[str, str]:
    """Return the tags of a key that a set-up makes."""
    return {
        "quorate-member": member,
        "quorate-set-up": identifier.hex(),
        "quorate-key": kind.word,
    }


def _provision(
    settings: KmsSettings, passphrase: SecretBytes, how: KmsSetUp, made: _Made
) -> Provisioned:
    place = settings.place
    if not place.whole:
        place = _with_keys(settings, how, made)
    calls = _calls(settings, place)
    probe(calls, place, settings.member).require()
    return Provisioned(_write(calls, settings, passphrase, how), place)


def _remove(settings: KmsSettings, how: KmsSetUp) -> tuple[str, ...]:
    calls = _calls(settings, settings.place)
    left = _left_by(calls, settings.member, how.identifier)
    arns = tuple(arn for kind in KeyKind for arn in left[kind])
    if arns:
        _require_nobodys(settings, how, left)
        how.before_removal()
    for arn in arns:
        calls.schedule_deletion(arn, DELETED_AFTER_DAYS)
    for kind in KeyKind:
        calls.forget_name(alias_of(settings.member, how.identifier, kind))
    return arns


def _require_nobodys(settings: KmsSettings, how: KmsSetUp, left: dict[KeyKind, list[str]]) -> None:
    """Check that keys in KMS belong to no member. Raises: SetUpUnproven, KmsFault, HsmError."""
    require_original(how)
    if how.original is None:
        raise SetUpUnproven(
            "it is not known whether this directory is the one in which the set-up began, so that "
            "its keys may be a member's by now. None was removed"
        )
    if not how.identity_key:
        return
    _noted(settings, how, left)
    files = SignedFiles(settings.folder)
    record = files.read_record()
    if (
        record is None
        or record.identity_point != how.identity_key
        or not files.holds_first_head(record)
    ):
        raise SetUpUnproven(
            "the directory shows no head of a ledger, neither a written one nor the first, so that "
            "these keys may be a member's by now. None was removed"
        )


def _noted(settings: KmsSettings, how: KmsSetUp, left: dict[KeyKind, list[str]]) -> str | None:
    """Return the identity key among those left: the noted one, if one is. Raises: SetUpUnproven."""
    found = left[KeyKind.IDENTITY]
    if not how.identity_key or not found:
        return found[0] if found else None
    for arn in found:
        place = replace(settings.place, sealing_key="", identity_key=arn)
        if _calls(settings, place).public_point() == how.identity_key:
            return arn
    raise SetUpUnproven(
        "the keys in AWS KMS that carry this set-up's mark are not those that it has noted. None "
        "was removed"
    )


def _calls(settings: KmsSettings, place: KmsPlace) -> KmsCalls:
    return settings.connect(place, settings.times)


def _told(work: Callable[[], _T]) -> _T:
    """Return what `work` does; a fault is raised as our error, without frames of the call."""
    try:
        return work()
    except KmsFault as fault:
        told = fault.told
    raise told


@contextmanager
def _undone_if_it_fails(settings: KmsSettings, how: KmsSetUp, made: _Made) -> Iterator[None]:
    try:
        yield
    except BaseException as error:  # Interrupted too: nothing half-made is left.
        # Those of an earlier call prove that its keys are nobody's yet.
        if not how.resumed:
            _remove_files(settings)
        told = _undo_keys(settings, how, made)
        if told and type(error) in _TOLD:
            raise type(error)(f"{error}. {told}") from None
        raise


def _undo_keys(settings: KmsSettings, how: KmsSetUp, made: _Made) -> str:
    """Have the keys deleted that this call made; return that in words. Raises: SetUpUnfinished."""
    arns = set(made.arns.values())
    if not arns and not made.unsure:
        return ""
    try:
        calls = _calls(settings, settings.place)
        if made.unsure:
            left = _left_by(calls, settings.member, how.identifier)
            arns.update(arn for kind in KeyKind for arn in left[kind] if arn not in made.found)
        for arn in sorted(arns):
            calls.schedule_deletion(arn, DELETED_AFTER_DAYS)
    except (KmsFault, HsmError) as trouble:
        why = str(trouble.told if isinstance(trouble, KmsFault) else trouble)
        raise SetUpUnfinished(
            f"AWS KMS failed during the set-up, and keys that it made are left ({_named(arns)}; "
            f"{why}). Start the same set-up again: it uses them"
        ) from None
    for kind in made.arns:
        with suppress(KmsFault, HsmError):  # A name without a key does no harm.
            calls.forget_name(alias_of(settings.member, how.identifier, kind))
    if not arns:
        return ""
    return (
        f"The keys that this set-up made ({_named(arns)}) cannot be used any more, and AWS deletes "
        f"them in {DELETED_AFTER_DAYS} days"
    )


def _named(arns: set[str]) -> str:
    return ", ".join(sorted(arns)) or "which ones is not known"


def _remove_files(settings: KmsSettings) -> None:
    with suppress(HsmError, OSError):  # What failed before is what is told.
        SignedFiles(settings.folder).remove()
        (settings.folder / LOCK_FILE).unlink(missing_ok=True)


def _with_keys(settings: KmsSettings, how: KmsSetUp, made: _Made) -> KmsPlace:
    """Make both keys, or find those that this set-up made before; return the place with them."""
    # One attempt each, and a long one: a repeated CreateKey would make a key that nobody knows.
    once = replace(settings.times, attempts=1, read_s=max(settings.times.read_s, _MAKING_S))
    calls = settings.connect(settings.place, once)
    chosen: dict[KeyKind, str] = {}
    if how.resumed:
        left = _left_by(calls, settings.member, how.identifier)
        made.found.update(arn for kind in KeyKind for arn in left[kind])
        if left[KeyKind.SEALING]:
            chosen[KeyKind.SEALING] = left[KeyKind.SEALING][0]
        if identity := _noted(settings, how, left):
            chosen[KeyKind.IDENTITY] = identity
    for kind in KeyKind:
        if kind not in chosen:
            _make(calls, settings.member, how.identifier, kind, made)
            chosen[kind] = made.arns[kind]
    _settle(calls, chosen, how)
    for kind in KeyKind:
        alias = alias_of(settings.member, how.identifier, kind)
        # One of this name may be left of a key that was removed.
        calls.forget_name(alias)
        calls.name_key(alias, chosen[kind])
    return replace(
        settings.place,
        sealing_key=chosen[KeyKind.SEALING],
        identity_key=chosen[KeyKind.IDENTITY],
    )


def _make(calls: KmsCalls, member: MemberId, identifier: bytes, kind: KeyKind, made: _Made) -> None:
    made.unsure = True
    try:
        made.arns[kind] = calls.make_key(kind, tags_of(member, identifier, kind))
    except KmsFault as fault:
        # Without an answer the key may be there; a refusal says that it is not.
        made.unsure = not fault.answered
        raise
    made.unsure = False


def _settle(calls: KmsCalls, keys: dict[KeyKind, str], how: KmsSetUp) -> None:
    """Wait until KMS knows the new keys everywhere: it may deny them for some seconds."""
    for arn in keys.values():
        for left in reversed(range(_SETTLING_TRIES)):
            try:
                if calls.describe(arn).enabled:
                    break
            except KmsFault as fault:
                if fault.code != "NotFoundException" or not left:
                    raise
            how.sleep(_SETTLING_S)


def _left_by(calls: KmsCalls, member: MemberId, identifier: bytes) -> dict[KeyKind, list[str]]:
    """Return the enabled keys that carry the identifier, by kind."""
    left: dict[KeyKind, list[str]] = {kind: [] for kind in KeyKind}
    for arn, tags in sorted(calls.tagged("quorate-set-up", identifier.hex(), _MOST_KEYS).items()):
        for kind in KeyKind:
            ours = tags_of(member, identifier, kind).items() <= tags.items()
            if ours and calls.describe(arn).enabled:
                left[kind].append(arn)
    return left


def _write(calls: KmsCalls, settings: KmsSettings, passphrase: SecretBytes, how: KmsSetUp) -> bytes:
    """Write lock file, head and key record; return the identity key."""
    lock = make_lock(calls, settings.member, settings.cost, passphrase, how.random)
    # Before anything is sealed by it: that it opens.
    open_lock(calls, lock, passphrase).wipe()
    identity = KmsIdentity(calls)
    record = KeyRecord(
        member=settings.member,
        identity_point=calls.public_point(),
        presence_point=b"",
        kek_check=check_value(lock.encode()),
        method=KMS_METHOD,
        heads_in_file=True,
    )
    files = SignedFiles(settings.folder)
    try:
        replace_file(settings.folder / LOCK_FILE, lock.encode())
    except OSError as error:
        raise HsmError(f"the lock file cannot be stored: {error.strerror}") from None
    files.start_head(identity, record, 0, HeadAnchor(0, bytes(32)))
    # The record is written last: without it there is no member here.
    files.write_record(sign_record(identity, record))
    return record.identity_point

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
from hsm.removal import SetUpUnfinished, require_not_over
from hsm.signed_files import SignedFiles, sign_record

DELETED_AFTER_DAYS = 7
_MOST_KEYS = 1000
_SETTLING_TRIES, _SETTLING_S = 10, 1.0
_T = TypeVar("_T")
_TOLD = (HsmError, TokenMissing, TokenInsufficient, KeyCheckFailed)


@dataclass(frozen=True, slots=True)
class Provisioned:
    """The identity key, and the place with both keys' ARNs."""

    identity_key: bytes
    place: KmsPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsSetUp:
    """How keys are set up. `identifier` is kept by the caller until the set-up is over.

    `resumed`: an earlier one with this identifier may have left keys.
    """

    identifier: bytes
    resumed: bool = False
    random: Callable[[int], bytes] = secrets.token_bytes
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class _Made:
    """The keys that this set-up made, or found made; `unsure` if there may be more."""

    arns: dict[KeyKind, str] = field(default_factory=dict)
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
    says so. Raises: TokenInsufficient, SetUpOver, SetUpUnfinished, HsmError.
    """
    try:
        if len(passphrase) < settings.shortest_passphrase:
            raise HsmError(f"a passphrase has at least {settings.shortest_passphrase} bytes")
        if not settings.place.whole and (settings.place.sealing_key or settings.place.identity_key):
            raise HsmError("name both KMS keys, or none: then both are made")
        require_not_over(settings.folder)
        made = _Made()
        with _undone_if_it_fails(settings, how, made):
            return _told(lambda: _provision(settings, passphrase, how, made))
    finally:
        passphrase.wipe()


def remove_kms(settings: KmsSettings, identifier: bytes) -> tuple[str, ...]:
    """Have the keys deleted that the set-up with this identifier made; return their ARNs. Blocking.

    Raises: SetUpOver if a ledger wrote its head, for then the keys are a member's; HsmError.
    """
    require_not_over(settings.folder)
    return _told(lambda: _remove(settings, identifier))


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


def _remove(settings: KmsSettings, identifier: bytes) -> tuple[str, ...]:
    calls = _calls(settings, settings.place)
    ours = _left_by(calls, settings.member, identifier)
    arns = tuple(arn for left in ours.values() for arn in left)
    for arn in arns:
        calls.schedule_deletion(arn, DELETED_AFTER_DAYS)
    for kind in KeyKind:
        calls.forget_name(alias_of(settings.member, identifier, kind))
    return arns


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
        _remove_files(settings)
        told = _undo_keys(settings, how, made)
        if told and type(error) in _TOLD:
            raise type(error)(f"{error}. {told}") from None
        raise


def _undo_keys(settings: KmsSettings, how: KmsSetUp, made: _Made) -> str:
    """Have all keys deleted that the set-up made; return that in words. Raises: SetUpUnfinished."""
    arns = set(made.arns.values())
    if not arns and not made.unsure:
        return ""
    try:
        calls = _calls(settings, settings.place)
        if made.unsure:
            ours = _left_by(calls, settings.member, how.identifier)
            arns.update(arn for left in ours.values() for arn in left)
        for arn in sorted(arns):
            calls.schedule_deletion(arn, DELETED_AFTER_DAYS)
    except (KmsFault, HsmError) as trouble:
        why = str(trouble.told if isinstance(trouble, KmsFault) else trouble)
        raise SetUpUnfinished(
            f"AWS KMS failed during the set-up, and keys that it made are left ({_named(arns)}; "
            f"{why}). Start the same set-up again: it uses or removes them"
        ) from None
    for kind in KeyKind:
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
    # One attempt each: a repeated CreateKey would make a key that nobody knows.
    calls = settings.connect(settings.place, replace(settings.times, attempts=1))
    left = _left_by(calls, settings.member, how.identifier) if how.resumed else {}
    for kind in KeyKind:
        alias = alias_of(settings.member, how.identifier, kind)
        found = left.get(kind, [])
        if found:
            made.arns[kind] = found[0]
            for spare in found[1:]:
                calls.schedule_deletion(spare, DELETED_AFTER_DAYS)
        else:
            made.arns[kind] = _make(calls, settings.member, how.identifier, kind, made)
        # One of this name may be left of a key that was removed.
        calls.forget_name(alias)
        calls.name_key(alias, made.arns[kind])
    _settle(calls, made, how)
    return replace(
        settings.place,
        sealing_key=made.arns[KeyKind.SEALING],
        identity_key=made.arns[KeyKind.IDENTITY],
    )


def _make(calls: KmsCalls, member: MemberId, identifier: bytes, kind: KeyKind, made: _Made) -> str:
    made.unsure = True
    try:
        arn = calls.make_key(kind, tags_of(member, identifier, kind))
    except KmsFault as fault:
        # Without an answer the key may be there; a refusal says that it is not.
        made.unsure = not fault.answered
        raise
    made.unsure = False
    return arn


def _settle(calls: KmsCalls, made: _Made, how: KmsSetUp) -> None:
    """Wait until KMS knows the new keys everywhere: it may deny them for some seconds."""
    for arn in made.arns.values():
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

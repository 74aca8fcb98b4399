"""Capabilities: what a member's keys need of a token, what the token has, what will be used.

What the token's mechanism list denies is believed and not tried. What it affirms is tried, because
no list says whose IV GCM takes, what data objects hold, or whether a key asks for the PIN again.
Trials make session objects only: they vanish with the session, and are destroyed before.
"""

from dataclasses import dataclass

from pkcs11 import Mechanism, MechanismFlag, TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import Slot, Token

from console.application.errors import HsmError
from hsm.faults import is_lost
from hsm.library import serial_of
from hsm.wrapping_methods import METHODS, SealingKey
from hsm.wrapping_methods.method import Need

SEAL, IDENTITY_KEY, PRESENCE_KEY = "Sealing", "Identity key", "Presence key"
KEY_RECORD, LEDGER_HEAD = "Key record", "Ledger head"
SESSIONS, WRITABLE, PIN, ROOM = "Sessions", "Storage", "PIN", "Room"

_IN_BYTES = ("AES", "GENERIC", "SHA256_HMAC")
_NOT_TRIED = "listed; not tried without the PIN"
_NOT_LISTED_ANYWHERE = "no list tells; not tried without the PIN"


class TokenInsufficient(HsmError):
    """The token lacks what a member's keys need; nothing was made in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """One row of the table. `fits` is None where it is not known without a trial."""

    name: str
    need: str
    found: str
    used: str
    fits: bool | None


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The table of one token.

    `sealing` is the method to be used, `asks_again` whether a key can ask for the PIN, `in_files`
    whether key record and ledger head are in signed files: known once they were tried.
    """

    token: str
    rows: tuple[Capability, ...]
    sealing: type[SealingKey] | None = None
    asks_again: bool = True
    in_files: bool = False

    @property
    def missing(self) -> tuple[Capability, ...]:
        return tuple(row for row in self.rows if row.fits is False)

    @property
    def known(self) -> bool:
        """Whether nothing is left to be tried."""
        return all(row.fits is not None for row in self.rows)

    def require(self) -> None:
        """Raises: TokenInsufficient with the reason of every row that is missing."""
        if self.missing:
            reasons = "; ".join(f"{row.name}: {row.found}" for row in self.missing)
            raise TokenInsufficient(
                f"this token does not suffice, and nothing was made in it. {reasons}"
            )


@dataclass(frozen=True, slots=True)
class _Need:
    """A row of mechanisms: each with what it must be able to do, and the key's size in bits."""

    name: str
    need: str
    used: str
    mechanisms: tuple[Need, ...]


_EC = (
    (Mechanism.EC_KEY_PAIR_GEN, MechanismFlag.GENERATE_KEY_PAIR, 256),
    (Mechanism.ECDSA, MechanismFlag.SIGN, 256),
)
_NEEDS = (
    _Need(
        IDENTITY_KEY,
        "a P-256 key that is made in the token, cannot leave it, and signs",
        "EC_KEY_PAIR_GEN, ECDSA",
        _EC,
    ),
    _Need(
        PRESENCE_KEY,
        "the PIN can be checked again while the token is in use",
        "a key with ALWAYS_AUTHENTICATE, or else a login from another process",
        _EC,
    ),
)
# What no list tells: (name, need, use). Their trials are in `hsm.trials`.
_UNLISTED = (
    (LEDGER_HEAD, "private data objects that hold the ledger's head", "CKO_DATA, private"),
    (KEY_RECORD, "a data object that is read without login", "CKO_DATA, public"),
    (SESSIONS, "two sessions at once", "two sessions"),
)


def survey(token: Token) -> Capabilities:
    """Return what the token tells without login; nothing is tried."""
    return Capabilities(
        name_of(token), (_pin(token.flags), _writable(token.flags), *_listed(token.slot))
    )


def require_mechanisms(slot: Slot) -> None:
    """Check a slot's mechanisms before its token is initialised. Raises: TokenInsufficient.

    Some tokens list nothing until they are initialised; those are checked later.
    """
    try:
        listed = _listed(slot)
    except p11.PKCS11Error as error:
        if is_lost(type(error)):
            raise
        return
    Capabilities(slot.slot_description, listed).require()


def name_of(token: Token) -> str:
    """Return the token's label, maker, model and serial number, for people."""
    return (
        f"{token.label} ({token.manufacturer_id}, {token.model}, serial number {serial_of(token)})"
    )


def tries_left(flags: TokenFlag) -> str:
    """Return what the token tells about PIN tries, in words."""
    if flags & TokenFlag.USER_PIN_LOCKED:
        return "locked: the security officer must unlock it"
    if flags & TokenFlag.USER_PIN_FINAL_TRY:
        return "one try is left: a wrong PIN locks the token"
    if flags & TokenFlag.USER_PIN_COUNT_LOW:
        return "set; a wrong one was given since the last right one"
    return "set; no wrong one is reported"


def _pin(flags: TokenFlag) -> Capability:
    ready = bool(flags & TokenFlag.USER_PIN_INITIALIZED)
    return Capability(
        name=PIN,
        need="a user PIN that is set and not locked",
        found=tries_left(flags) if ready else "no user PIN is set",
        used="login as user",
        fits=ready and not flags & TokenFlag.USER_PIN_LOCKED,
    )


def _writable(flags: TokenFlag) -> Capability:
    protected = bool(flags & TokenFlag.WRITE_PROTECTED)
    return Capability(
        name=WRITABLE,
        need="new objects are stored",
        found="the token is write-protected" if protected else "not write-protected",
        used="read-write sessions",
        fits=not protected,
    )


def _listed(slot: Slot) -> tuple[Capability, ...]:
    there = slot.get_mechanisms()
    rows = [_mechanism_row(slot, need, there) for need in _NEEDS]
    rows.append(_sealing_row(slot, there))
    rows += [
        Capability(name=name, need=need, found=_NOT_LISTED_ANYWHERE, used=used, fits=None)
        for name, need, used in _UNLISTED
    ]
    return tuple(rows)


def _mechanism_row(slot: Slot, need: _Need, there: set[Mechanism]) -> Capability:
    wrong = _problems(slot, need.mechanisms, there)
    return Capability(
        name=need.name,
        need=need.need,
        found="; ".join(wrong) if wrong else _NOT_TRIED,
        used=need.used,
        fits=False if wrong else None,
    )


def affirmed(slot: Slot) -> tuple[type[SealingKey], ...]:
    """Return the methods of sealing that the slot's list affirms, the preferred first."""
    there = slot.get_mechanisms()
    return tuple(method for method in METHODS if not _problems(slot, method.needs, there))


def _sealing_row(slot: Slot, there: set[Mechanism]) -> Capability:
    problems = {method: _problems(slot, method.needs, there) for method in METHODS}
    listed = [method.name for method, wrong in problems.items() if not wrong]
    lacking = sorted({problem for wrong in problems.values() for problem in wrong})
    return Capability(
        name=SEAL,
        need="a key that is made in the token, cannot leave it, and seals 32 bytes and their label",
        found=_NOT_TRIED if listed else f"no method: {'; '.join(lacking)}",
        used=f"the first of these that works: {', '.join(listed)}",
        fits=None if listed else False,
    )


def _problems(slot: Slot, mechanisms: tuple[Need, ...], there: set[Mechanism]) -> list[str]:
    return [
        problem
        for mechanism, flags, bits in mechanisms
        if (problem := _problem(slot, mechanism, flags, bits, there))
    ]


def _problem(
    slot: Slot, mechanism: Mechanism, flags: MechanismFlag, bits: int, there: set[Mechanism]
) -> str:
    if mechanism not in there:
        return f"{mechanism.name} is not listed"
    try:
        info = slot.get_mechanism_info(mechanism)
    except (p11.MechanismInvalid, p11.FunctionNotSupported):
        return ""  # The trial tells.
    # Some modules report no flags and no sizes at all.
    if info.flags and flags & ~info.flags:
        return f"{mechanism.name} is listed, but not for {(flags & ~info.flags).name}"
    least, most = info.min_key_length or 0, info.max_key_length or 0
    # AES sizes are bytes by the standard, those of HMAC bits or bytes; some modules do otherwise.
    sizes = {bits, bits // 8} if mechanism.name.startswith(_IN_BYTES) else {bits}
    if most and not any(least <= size <= most for size in sizes):
        return f"{mechanism.name} is listed for keys of {least} to {most} only"
    return ""

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

SEAL, IDENTITY_KEY, PRESENCE_KEY = "Sealing", "Identity key", "Presence key"
WRAPPING_KEY, KEY_RECORD, LEDGER_HEAD = "Wrapping key", "Key record", "Ledger head"
SESSIONS, WRITABLE, PIN, ROOM = "Sessions", "Storage", "PIN", "Room"

_NOT_TRIED = "listed; not tried without the PIN"
_NOT_LISTED_ANYWHERE = "no list tells; not tried without the PIN"
_OTHER_SEALS = {
    Mechanism.AES_KEY_WRAP: "AES key wrap",
    Mechanism.AES_CBC: "AES-CBC",
    Mechanism.SHA256_HMAC: "HMAC-SHA-256",
    Mechanism.RSA_PKCS_OAEP: "RSA-OAEP",
}


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
    """The table of one token."""

    token: str
    rows: tuple[Capability, ...]

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
    mechanisms: tuple[tuple[Mechanism, MechanismFlag, int], ...]


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
        "a P-256 key that asks for the PIN at each use",
        "EC_KEY_PAIR_GEN, ECDSA, ALWAYS_AUTHENTICATE",
        _EC,
    ),
    _Need(
        WRAPPING_KEY,
        "an AES key of 256 bits that is made in the token and cannot leave it",
        "AES_KEY_GEN, AES_ECB for its check value",
        (
            (Mechanism.AES_KEY_GEN, MechanismFlag.GENERATE, 256),
            (Mechanism.AES_ECB, MechanismFlag.ENCRYPT, 256),
        ),
    ),
    _Need(
        SEAL,
        "AES-GCM with an IV of ours (12 bytes), bound data and a tag of 16 bytes",
        "AES_GCM with an IV of ours",
        ((Mechanism.AES_GCM, MechanismFlag.ENCRYPT | MechanismFlag.DECRYPT, 256),),
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
    """Check a slot's mechanisms before its token is initialised. Raises: TokenInsufficient."""
    Capabilities(slot.slot_description, _listed(slot)).require()


def name_of(token: Token) -> str:
    """Return the token's label, maker, model and serial number, for people."""
    serial = token.serial.decode("ascii", "replace").strip("\0 ")
    return f"{token.label} ({token.manufacturer_id}, {token.model}, serial number {serial})"


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
    rows += [
        Capability(name=name, need=need, found=_NOT_LISTED_ANYWHERE, used=used, fits=None)
        for name, need, used in _UNLISTED
    ]
    return tuple(rows)


def _mechanism_row(slot: Slot, need: _Need, there: set[Mechanism]) -> Capability:
    wrong = [
        problem
        for mechanism, flags, bits in need.mechanisms
        if (problem := _problem(slot, mechanism, flags, bits, there))
    ]
    if wrong and need.name == SEAL:
        others = [text for mechanism, text in _OTHER_SEALS.items() if mechanism in there]
        if others:
            wrong.append(f"listed, but not used by this version: {', '.join(others)}")
    return Capability(
        name=need.name,
        need=need.need,
        found="; ".join(wrong) if wrong else _NOT_TRIED,
        used=need.used,
        fits=False if wrong else None,
    )


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
    # AES sizes are bytes by the standard; some modules report bits.
    sizes = {bits, bits // 8} if mechanism.name.startswith("AES") else {bits}
    if most and not any(least <= size <= most for size in sizes):
        return f"{mechanism.name} is listed for keys of {least} to {most} only"
    return ""

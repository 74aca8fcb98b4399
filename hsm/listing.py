"""Listing: the tokens in a library's slots as they tell of themselves; nothing is tried."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pkcs11 import Attribute, ObjectClass, TokenFlag
from pkcs11 import exceptions as p11
from pkcs11.types import Token

from console.application.errors import HsmError
from hsm.capabilities import survey, tries_left
from hsm.keys import IDENTITY, RECORD
from hsm.library import TokenChoice, library, serial_of
from hsm.vendors import Standing, vendor_of

MAX_TOKENS = 64
_MAX_TEXT = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedToken:
    """A token. `tries` tells of its PIN in words; `missing` names what its list denies.

    `standing`: what its make says of keys of a main network. `in_use`: keys of a member are seen
    without login.
    """

    slot: int
    label: str
    maker: str
    model: str
    serial: str
    tries: str
    missing: tuple[str, ...]
    standing: Standing
    in_use: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """A library's maker and at most MAX_TOKENS of its tokens; `more` is how many others it has."""

    maker: str
    tokens: tuple[ListedToken, ...]
    more: int


def list_tokens(module: Path, *, label: str | None = None, again: bool = False) -> Listing:
    """Return the tokens of a library. Blocking; a library may never come back.

    With `label`, only tokens with this label. With `again`, the library is initialised anew, so
    that it looks for tokens anew: all sessions of this process end. Raises: HsmError.
    """
    owner = library(module)
    with owner.lock:
        if again:
            owner.reset()
        handle = owner.handle()
        found: list[ListedToken] = []
        more = 0
        try:
            for slot in handle.get_slots(token_present=True):
                with suppress(p11.TokenNotPresent, p11.TokenNotRecognised):
                    token = slot.get_token()
                    if not token.flags & TokenFlag.TOKEN_INITIALIZED:
                        continue
                    if label is not None and _text(token.label) != label:
                        continue
                    if len(found) == MAX_TOKENS:
                        more += 1
                    else:
                        found.append(_listed(slot.slot_id, token))
        except p11.PKCS11Error as error:
            raise HsmError(f"the library tells no tokens: {type(error).__name__}") from None
        return Listing(_text(handle.manufacturer_id), tuple(found), more)


def standing_of(module: Path, choice: TokenChoice) -> Standing:
    """Return what a token's make says of keys of a main network. Raises: TokenMissing, HsmError."""
    owner = library(module)
    with owner.lock:
        token = owner.find(choice)
        return vendor_of(token.manufacturer_id, token.model).standing


def _listed(slot: int, token: Token) -> ListedToken:
    ready = token.flags & TokenFlag.USER_PIN_INITIALIZED
    try:
        table = survey(token)
        missing = tuple(f"{row.name}: {row.found}" for row in table.missing)
    except p11.PKCS11Error as error:
        missing = (f"it tells no list: {type(error).__name__}",)
    return ListedToken(
        slot=slot,
        label=_text(token.label),
        maker=_text(token.manufacturer_id),
        model=_text(token.model),
        serial=_text(serial_of(token)),
        tries=tries_left(token.flags) if ready else "no user PIN is set",
        missing=missing,
        standing=vendor_of(token.manufacturer_id, token.model).standing,
        in_use=_in_use(token),
    )


def _in_use(token: Token) -> bool:
    """Return whether a member's public objects are seen without login."""
    with suppress(p11.PKCS11Error), token.open() as session:
        for wanted in (
            {Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: RECORD},
            {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.LABEL: IDENTITY},
        ):
            if any(True for _ in session.get_objects(wanted)):
                return True
    return False


def _text(told: str) -> str:
    """Return a library's text as it may be shown: one line, bounded."""
    return "".join(c if c.isprintable() else " " for c in told[:_MAX_TEXT]).strip()

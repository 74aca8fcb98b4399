"""Refusals of the set-up: what happened, what is safe, what to do next."""

from console.application.errors import (
    AdapterError,
    ChainUnavailable,
    HsmError,
    KeyCheckFailed,
    LastTryLeft,
    PinLocked,
    TokenMissing,
    WrongPin,
)
from console.client.set_up.messages import Refused
from console.domain.errors import DomainError
from console.provisioning import PinNeeded
from console.settings import SettingsInvalid
from console.unfinished import SetUpBusy
from hsm import SetUpOver, SetUpUnfinished, SetUpUnproven, TokenInsufficient, TokenTaken

_LONGEST = 2048
_NOTHING_MADE = "Nothing was changed."
_KEYS_SAFE = "No key left the token. Funds are not concerned: this member has none yet."
_TABLE: tuple[tuple[type[Exception], str, str, str], ...] = (
    (
        WrongPin,
        "wrong-pin",
        "Nothing was made. The try is counted, and each wrong one makes the wait longer.",
        "Enter the PIN again, with care: many tokens lock at the third wrong one.",
    ),
    (
        LastTryLeft,
        "last-try",
        "Nothing was made, and the PIN was not tried.",
        "If you are sure of the PIN, say so and enter it again. Its maker's program can test it.",
    ),
    (
        PinLocked,
        "pin-locked",
        "Nothing was made, and the token was not asked.",
        "Wait as long as it says, or have the token's security officer reset its count.",
    ),
    (
        TokenMissing,
        "token-missing",
        _KEYS_SAFE,
        "Insert the token, or check that its service runs; then try again.",
    ),
    (
        TokenInsufficient,
        "token-insufficient",
        "Nothing was left in the token.",
        "Choose another token.",
    ),
    (
        TokenTaken,
        "token-taken",
        "Its keys were not touched, and nothing of this set-up is left in it.",
        "Choose another token: each holds the keys of one member.",
    ),
    (
        SetUpUnfinished,
        "set-up-unfinished",
        "What is left in the token belongs to no member.",
        "Insert the token again and go on: what is left is used or removed first.",
    ),
    (
        SetUpUnproven,
        "set-up-unproven",
        "Nothing was removed from the token, and no key was changed.",
        "Go on where it began. Keys of nobody are removed with the program of the token's maker.",
    ),
    (
        SetUpOver,
        "set-up-over",
        "Nothing was removed from the token. The member's keys and funds are as they were.",
        "Restore the member's directory from a later copy, or set up another member.",
    ),
    (
        KeyCheckFailed,
        "key-check-failed",
        "No key was used.",
        "Choose another token, or ask the one who set this one up.",
    ),
    (
        PinNeeded,
        "pin-needed",
        "Nothing was removed yet.",
        "Enter the token's PIN, so that the keys can be removed from it.",
    ),
    (HsmError, "token-error", _KEYS_SAFE, "Insert the token again and go on."),
    (
        ChainUnavailable,
        "chain-unavailable",
        _NOTHING_MADE,
        "Check the address of the chain's node, and that it runs.",
    ),
    (AdapterError, "unavailable", _NOTHING_MADE, "Try again."),
    (DomainError, "not-proper", _NOTHING_MADE, "Correct what you entered, and try again."),
    (
        SetUpBusy,
        "set-up-busy",
        "What the other process makes is safe.",
        "Wait until it has ended, then try again.",
    ),
    (SettingsInvalid, "set-up-refused", _NOTHING_MADE, "Correct what you entered, and try again."),
)


class NotDone(Exception):
    """What was asked is refused, with the sentences for the operator."""

    def __init__(self, code: str, what: str, safe: str, next_step: str) -> None:
        super().__init__(what)
        self.refused = Refused(code=code, what=what, safe=safe, next_step=next_step)


def refused(error: Exception) -> Refused:
    """Return an error as a refusal. Of an unexpected one nothing is quoted: it may hold a secret.

    The texts of ours quote no PIN: what fails in a token's library is translated without its text.
    """
    if isinstance(error, NotDone):
        return error.refused
    for family, code, safe, next_step in _TABLE:
        if isinstance(error, family):
            what = error.seen if isinstance(error, LastTryLeft) else str(error)
            return Refused(code=code, what=sentence(what), safe=safe, next_step=next_step)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if isinstance(error.filename, str) else ""
        why = error.strerror or "an error of the system"
        return Refused(
            code="file-error",
            what=sentence(f"a file could not be read or written{where}: {why}"),
            safe="The set-up goes on where it was.",
            next_step="Check that the disk is not full and the folder is yours; then try again.",
        )
    return Refused(
        code="unexpected",
        what="The set-up met a fault that it does not know.",
        safe="The set-up goes on where it was. No key left the token.",
        next_step="Try again. If it happens once more, close the window, open it and go on.",
    )


def sentence(text: str) -> str:
    """Return a text of ours as a sentence that can be shown."""
    text = "".join(c if c.isprintable() else " " for c in text[: _LONGEST - 1]).strip()
    closed = text if text.endswith((".", "?", "!")) else f"{text}."
    return closed[:1].upper() + closed[1:]

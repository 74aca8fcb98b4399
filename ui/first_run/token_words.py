"""Tokens in words: titles, lines, marks, and why one cannot be chosen."""

from console.client.set_up.messages import TokenChoice, TokenKind, TokenSeen
from ui import wording
from ui.status import Look
from ui.theme import Tone

UNPLUGGED = "It is not plugged in any more."
IN_USE = "It holds a member\u2019s keys already. A member needs a token of its own."
SUITABLE = Look("check-circle", "Suitable", Tone.OK)
UNPROVEN = Look("question-dashed", "Not known to be hardware", Tone.UNKNOWN)
TESTS = Look("flask", "For tests only", Tone.WARN)
GONE = Look("unplugged", "Removed", Tone.WARN)
USED = Look("lock", "In use", Tone.NEUTRAL)
LACKING = Look("x-circle", "Not suitable", Tone.DANGER)
UNRUN = Look("question-dashed", "Unproven", Tone.UNKNOWN)
NO_HSM = Look("triangle-alert", "No HSM", Tone.WARN)
NOT_HERE = Look("question-dashed", "Not here", Tone.NEUTRAL)
_MOST_REASONS = 3


def key_of(token: TokenSeen | TokenChoice) -> str:
    """Return a token's key among others: what is on it, not where it is plugged in."""
    if isinstance(token, TokenChoice) and token.kind is not TokenKind.PKCS11:
        return token.kind.value
    return f"{token.module}|{token.serial}|{token.label}"


def short_key(token: TokenSeen) -> str:
    """Return the end of a token's object name."""
    return token.serial or token.label


def choice_of(token: TokenSeen) -> TokenChoice:
    """Return the choice of a token that is there."""
    return TokenChoice(
        kind=TokenKind.PKCS11, module=token.module, label=token.label, serial=token.serial
    )


def title(token: TokenSeen) -> str:
    """Return a token's label, or that it has none."""
    return token.label or "Token without a label"


def lines(token: TokenSeen) -> tuple[str, ...]:
    """Return maker and serial, then what is told about the PIN."""
    named = token.model.casefold().startswith(token.maker.casefold())
    made = token.model if named else f"{token.maker} {token.model}".strip()
    serial = f"serial {token.serial}" if token.serial else ""
    where = f"slot {token.slot}"
    first = " \u00b7 ".join(part for part in (made, serial, where) if part)
    return first, wording.sentence(token.pin)


def mark(token: TokenSeen, *, own: bool) -> Look:
    """Return what the token is good for. `own`: this set-up has chosen it before."""
    if token.missing:
        return LACKING
    if token.in_use and not own:
        return USED
    if token.for_tests_only:
        return TESTS
    return UNPROVEN if token.unproven else SUITABLE


def why_not(token: TokenSeen, *, own: bool) -> str:
    """Return why a token cannot be chosen, or ''.

    Keys in the set-up's own token may be those that it left when it died; making keys judges that.
    """
    if token.missing:
        shown = token.missing[:_MOST_REASONS]
        more = len(token.missing) - len(shown)
        tail = (f"{more} more",) if more else ()
        return f"It lacks {wording.listed((*shown, *tail))}."
    return IN_USE if token.in_use and not own else ""


def words(choice: TokenChoice) -> str:
    """Return a chosen token in a few words."""
    match choice.kind:
        case TokenKind.SOFTHSM:
            return "a SoftHSM token, for tests only"
        case TokenKind.FILE:
            return "encrypted files"
        case TokenKind.KMS:
            return f"AWS KMS, {choice.region}"
        case _:
            return f"token {choice.label or choice.serial}"

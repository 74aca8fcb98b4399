"""Refusals: every expected failure as what happened, whether keys and funds are safe, what next."""

from console.application.api import CommandRefused
from console.application.errors import (
    AdapterError,
    BlockhashExpired,
    ChainUnavailable,
    HsmError,
    InsufficientFunds,
    InvalidAddress,
    KeyCheckFailed,
    LedgerClockBehind,
    LedgerCorrupted,
    LedgerError,
    LedgerNewer,
    LedgerRolledBack,
    LedgerUnavailable,
    NonceConflict,
    PeerRefused,
    PeerUnavailable,
    PinLocked,
    SealBroken,
    ShareUnavailable,
    TokenMissing,
    TransactionError,
    VaultLocked,
    VaultUnfit,
    WrongPin,
)
from console.application.peers.signed_statements import StatementRefused
from console.application.sessions.protocol_session import SessionFailed
from console.domain.errors import DomainError

_SAFE = "Keys and funds are safe; nothing was changed."
_TRY_AGAIN = "Correct the entry and try again."
_CALL = "Stop, do not retry, and call your security officer with the code below."

_ADAPTER: tuple[tuple[type[AdapterError], str, str, str], ...] = (
    (WrongPin, "wrong-pin", _SAFE, "Enter the PIN again. Each wrong PIN makes the wait longer."),
    (PinLocked, "pin-locked", _SAFE, "Wait as long as it says, or ask the security officer."),
    (
        TokenMissing,
        "token-missing",
        "The share stays sealed in its file; funds are safe.",
        "Insert the token and unlock again.",
    ),
    (VaultLocked, "vault-locked", _SAFE, "Unlock the vault first."),
    (
        KeyCheckFailed,
        "key-check-failed",
        "Nothing was sealed or signed with the doubtful key.",
        _CALL,
    ),
    (
        SealBroken,
        "seal-broken",
        "The damaged record was not used; the other custodians' shares are not affected.",
        _CALL,
    ),
    (
        VaultUnfit,
        "vault-for-tests",
        _SAFE,
        "Use a hardware token for main networks, or set this member up on a test network.",
    ),
    (
        ShareUnavailable,
        "share-missing",
        "Other custodians' shares are not affected; funds are safe while a quorum remains.",
        "Repair this member's share from the others.",
    ),
    (HsmError, "token-error", "No key left the token.", "Re-insert the token and unlock again."),
    (
        LedgerRolledBack,
        "ledger-rolled-back",
        "This member signs nothing until the newest ledger is back.",
        _CALL,
    ),
    (
        LedgerNewer,
        "ledger-newer",
        "Nothing was changed; the ledger and the shares are intact.",
        "Install the later version on this machine and unlock again.",
    ),
    (LedgerCorrupted, "ledger-broken", "This member signs nothing; the shares stay sealed.", _CALL),
    (
        LedgerClockBehind,
        "ledger-clock",
        "Nothing is lost; keys and funds are safe.",
        "Set this machine's clock. If it is right now, and was ahead before, say so and unlock.",
    ),
    (
        LedgerUnavailable,
        "ledger-unavailable",
        "Nothing happens that cannot be recorded; keys and funds are safe.",
        "Check the disk, and that no other node uses this ledger; then unlock again.",
    ),
    (LedgerError, "ledger-error", _SAFE, "Try again."),
    (PeerUnavailable, "peer-unavailable", _SAFE, "Check that the other member's node runs."),
    (PeerRefused, "peer-refused", _SAFE, "Ask the other member's operator."),
    (ChainUnavailable, "chain-unavailable", _SAFE, "Check the connection to the chain's node."),
    (InvalidAddress, "invalid-address", _SAFE, "Check the address with its owner."),
    (InsufficientFunds, "insufficient-funds", _SAFE, "Lower the amount or fund the wallet."),
    (BlockhashExpired, "transaction-expired", "The funds did not move.", "Propose it again."),
    (NonceConflict, "nonce-conflict", "The funds did not move.", "Propose it again."),
    (TransactionError, "transaction-refused", "The funds did not move.", _TRY_AGAIN),
)


def refusal(error: Exception) -> CommandRefused:
    """Translate an expected failure; anything else is a bug and is raised as it is."""
    match error:
        case CommandRefused():
            return error
        case DomainError():
            code = _dashed(type(error).__name__)
            return CommandRefused(
                code, _sentence(error), _SAFE, "Change the request, or ask its owner."
            )
        case AdapterError():
            for family, code, safe, next_step in _ADAPTER:
                if isinstance(error, family):
                    return CommandRefused(code, _sentence(error), safe, next_step)
            return CommandRefused("unavailable", _sentence(error), _SAFE, "Try again.")
        case SessionFailed():
            text = "The unfinished run is burned; keys and funds are safe."
            return CommandRefused("run-failed", _sentence(error), text, "Try again.")
        case StatementRefused():
            return CommandRefused(
                "statement-refused", _sentence(error), _SAFE, "Ask the other members."
            )
        case _:
            raise error


EXPECTED = (DomainError, AdapterError, SessionFailed, StatementRefused, CommandRefused)
"""What `refusal` can translate."""


def _sentence(error: Exception) -> str:
    """Write an error's text as a sentence: a capital first, a full stop last."""
    text = str(error).strip()
    closed = text if text.endswith((".", "?", "!", "\u2026")) else f"{text}."
    return closed[:1].upper() + closed[1:]


def _dashed(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")

"""Node refusals, translated to the product's errors."""

import re

import msgspec

from console.adapters.chains.solana.answers import FailureData
from console.adapters.chains.solana.message import SIGNATURE_BYTES, parse_message
from console.adapters.chains.solana.nonce import durable_nonce
from console.adapters.rpc.json_rpc import RpcRefused
from console.application.errors import (
    BlockhashExpired,
    InsufficientFunds,
    NonceConflict,
    TransactionError,
    TransactionRejected,
    UnknownTransaction,
)

_MAX_LOGS = 2_000
_OVERDRAWN = re.compile(r'\{\s*"Custom"\s*:\s*1\s*\}')
"""Error 1 of the System program and of both token programs: the balance is too low."""
_MAX_REASON = 200


def is_known_already(refused: RpcRefused) -> bool:
    """Return whether the cluster refuses because it has the transaction."""
    text = _text(refused)[0]
    return "AlreadyProcessed" in text or "already been processed" in text


def failure(refused: RpcRefused, transaction: bytes) -> TransactionError:
    """Return the error for a refused broadcast of a signed transaction."""
    text, logs = _text(refused)
    if "BlockhashNotFound" in text or "Blockhash not found" in text:
        if is_lasting(transaction):
            return NonceConflict("another transaction has used the durable nonce; propose it again")
        return BlockhashExpired("the transfer's blockhash has expired")
    return reason(f"{text} {logs}", str(refused))


def reason(text: str, said: str) -> TransactionError:
    """Return the error for a failure in the runtime's words; `said` is shown for an unknown one."""
    if "InsufficientFundsForRent" in text:
        return TransactionRejected("it would leave an account with less than the chain's minimum")
    if "insufficient" in text or "InsufficientFunds" in text or _OVERDRAWN.search(text):
        return InsufficientFunds("the account cannot pay the amount and the fee")
    return TransactionRejected(f"the chain refused it: {said}")


def simulated_failure(err: bytes, logs: list[str] | None) -> str:
    """Return a sentence for a simulation that failed, "" for one that did not."""
    if err == b"null":
        return ""
    kind = err.decode("utf-8", "replace")
    said = "".join(c if c.isprintable() else " " for c in kind[:_MAX_REASON])
    return str(reason(f"{kind} {_joined(logs)}", said))


def is_lasting(transaction: bytes) -> bool:
    """Return whether a transaction uses a durable nonce."""
    try:
        message = parse_message(transaction[SIGNATURE_BYTES:])
    except UnknownTransaction:
        return False
    return durable_nonce(message) is not None


def _text(refused: RpcRefused) -> tuple[str, str]:
    """Return the node's words, and apart from them the programs' logs, which include memos."""
    error = refused.error
    try:
        data = msgspec.json.decode(bytes(error.data), type=FailureData)
        kind = bytes(data.err).decode("utf-8", "replace")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return error.message, ""
    return f"{kind} {error.message}", _joined(data.logs)


def _joined(logs: list[str] | None) -> str:
    return " ".join(logs or ())[:_MAX_LOGS]

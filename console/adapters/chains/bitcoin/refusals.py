"""Node refusals, translated to the product's errors."""

from console.application.errors import (
    FeeTooLow,
    TransactionError,
    TransactionRejected,
)


def is_missing(text: str) -> bool:
    """Return whether a coin is not there: spent, or made by a transaction that is not known."""
    return "missingorspent" in text


def failure(text: str) -> TransactionError:
    """Return the error for a refusal in Bitcoin Core's words; none of them is final.

    A lock ends, a full mempool empties, rules of relay change, a rival may be dropped. Only a coin
    that was spent for good makes a transaction impossible, which no refusal tells.
    """
    if is_missing(text):
        return TransactionRejected(
            "a coin that it spends is not there now: it was spent lately, or its node does not "
            "know what made it"
        )
    if "txn-mempool-conflict" in text:
        return TransactionRejected("a transaction that waits spends one of its coins")
    if "insufficient fee" in text or "fee not met" in text:
        return FeeTooLow(f"the fee is too low: {text}")
    return TransactionRejected(f"the chain refused it: {text}")

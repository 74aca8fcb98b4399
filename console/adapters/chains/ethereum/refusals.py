"""What a node's refusal means, in the product's own families of errors."""

from console.adapters.rpc.json_rpc import RpcRefused
from console.application.errors import (
    FeeTooLow,
    InsufficientFunds,
    NonceConflict,
    TransactionError,
    TransactionRejected,
)

_TOO_POOR = ("insufficient funds", "enough balance", "cannot afford")
_TOO_LOW = ("underpriced", "fee too low", "less than block base fee", "fee cap less than")


def failure(refused: RpcRefused) -> TransactionError:
    """Return the error of the family that the node's words tell."""
    text = str(refused).lower()
    if any(words in text for words in _TOO_POOR):
        return InsufficientFunds("the account cannot pay the amount and the fee")
    if any(words in text for words in _TOO_LOW):
        return FeeTooLow("the fee is below what the chain's nodes take now")
    if "nonce" in text and "nonce too high" not in text:
        return NonceConflict("another transaction of this account took its nonce; propose it again")
    return TransactionRejected(f"the chain refused it: {refused}")

"""What a node's refusal means, in the product's own families of errors.

The words are those of Geth, Nethermind, Besu, Erigon and Reth, in their versions of some years:
none of them is a standard. What is not recognised is no more than a refusal, which ends nothing.
"""

from console.adapters.rpc.json_rpc import RpcRefused
from console.application.errors import (
    FeeTooLow,
    InsufficientFunds,
    NonceConflict,
    TransactionError,
    TransactionRejected,
)

_TOO_LOW = (
    "underpriced",
    "fee too low",
    "feetoolow",
    "replacementnotallowed",
    "could not replace existing",
    "insufficient gas price to replace",
    "less than block base fee",
    "less than block blob gas fee",
    "fee cap less than",
    "gas price below",
    "gas price too low",
    "below current blob base fee",
    "below chain minimum",
    "below minimum required priority fee",
)
_TOO_POOR = (
    "insufficient funds",
    "insufficientfunds",
    "insufficient balance",
    "enough balance",
    "enough funds",
    "cannot afford",
    "exceeds account balance",
    "overdraws from account",
)
_USED_UP = ("nonce too low", "oldnonce", "invalid transaction nonce: expected")
"""The last are the words of py-evm, also for a nonce that is too high: the adapter asks for it."""
_OTHERS_NONCE = "authority nonce"
"""Of an account that signed an authorisation (EIP-7702), not of the sender."""


def failure(refused: RpcRefused) -> TransactionError:
    """Return the error of the family that the node's words tell.

    Only a nonce that is used up makes a transaction impossible. One that is too high, or that
    another waiting transaction has, may still have its turn.
    """
    text = str(refused).lower()
    if any(words in text for words in _TOO_LOW):
        return FeeTooLow("the fee is below what the chain's nodes take now")
    if any(words in text for words in _TOO_POOR):
        return InsufficientFunds("the account cannot pay the amount and the fee")
    if any(words in text for words in _USED_UP) and _OTHERS_NONCE not in text:
        return NonceConflict("another transaction of this account took its nonce; propose it again")
    return TransactionRejected(f"the chain refused it: {refused}")

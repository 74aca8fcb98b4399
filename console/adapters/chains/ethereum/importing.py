"""What is signed as it was given: bytes of other programs, EIP-712 documents, messages."""

from console.adapters.chains.ethereum import signable
from console.adapters.chains.ethereum.messages import build_message
from console.adapters.chains.ethereum.networks import bound_to
from console.application.errors import TransactionError, UnknownTransaction
from console.domain.values import Network


def imported(data: bytes, network: Network) -> bytes:
    """Return bytes that can be signed as they are. Raises: TransactionError."""
    try:
        signable.parse(data, bound_to(data, network))
    except UnknownTransaction as error:
        raise TransactionError(f"this cannot be signed: {error}") from None
    return data


def message(text: str, network: Network) -> bytes:
    """Return an EIP-712 document as it is, anything else as a personal message.

    Raises: TransactionError.
    """
    try:
        data, whole = text.strip().encode(), text.encode()
    except UnicodeEncodeError:
        raise TransactionError("the message holds half of a character") from None
    return imported(data if data.startswith(b"{") else build_message(whole), network)

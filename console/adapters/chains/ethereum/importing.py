"""What is signed as it was given: bytes of other programs, EIP-712 documents, messages."""

from console.adapters.chains.ethereum import signable
from console.adapters.chains.ethereum.messages import build_message
from console.adapters.chains.ethereum.networks import bound_to
from console.application.errors import TransactionError, UnknownTransaction
from console.domain.values import Network

_JSON_BLANKS = b" \t\r\n"


def imported(data: bytes, network: Network) -> bytes:
    """Return bytes that can be signed as they are. Raises: TransactionError."""
    try:
        signable.parse(data, bound_to(data, network))
    except UnknownTransaction as error:
        raise TransactionError(f"this cannot be signed: {error}") from None
    return data


def message(text: str, network: Network) -> bytes:
    """Return an EIP-712 document as it is, anything else as a personal message.

    Around a document, the blanks that JSON ignores are left out; nothing else is changed.
    Raises: TransactionError.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise TransactionError("the message holds half of a character") from None
    if not text.strip().startswith("{"):
        return imported(build_message(data), network)
    document = data.strip(_JSON_BLANKS)
    if not document.startswith(b"{"):
        raise TransactionError("before the document stand blanks that JSON does not know")
    return imported(document, network)

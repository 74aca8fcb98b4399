"""Personal messages (EIP-191, version 0x45): text that is signed with a prefix."""

import re
from dataclasses import dataclass

from eth_utils.crypto import keccak

from console.adapters.chains.ethereum.meaning import Known, Meaning, shown_bytes
from console.application.errors import TransactionError, UnknownTransaction

PREFIX = b"\x19Ethereum Signed Message:\n"
MAX_MESSAGE_BYTES = 16 * 1024
MAX_SHOWN = 4096
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class PersonalMessage:
    """The message itself; what is hashed has the prefix and the length before it."""

    message: bytes

    def encode(self) -> bytes:
        """Return the bytes that are hashed and signed."""
        return PREFIX + str(len(self.message)).encode() + self.message

    def signing_hash(self) -> bytes:
        """Return what is signed, 32 bytes."""
        return keccak(self.encode())


def build_message(message: bytes) -> bytes:
    """Return the bytes to be signed for a message. Raises: TransactionError."""
    if len(message) > MAX_MESSAGE_BYTES:
        raise TransactionError(f"a message has at most {MAX_MESSAGE_BYTES} bytes")
    return PersonalMessage(message).encode()


def parse_message(data: bytes) -> PersonalMessage:
    """Return the message in the bytes. Raises: UnknownTransaction."""
    rest = data.removeprefix(PREFIX)
    if len(rest) == len(data):
        raise UnknownTransaction("the bytes are no personal message")
    if len(rest) > MAX_MESSAGE_BYTES + 5:
        raise UnknownTransaction(f"a message has at most {MAX_MESSAGE_BYTES} bytes")
    # Nothing marks where the length ends, but for each total length one number of digits fits.
    for count in range(1, 6):
        digits = rest[:count]
        if _LENGTH.fullmatch(digits) and int(digits) == len(rest) - count:
            return PersonalMessage(rest[count:])
    raise UnknownTransaction("the message is not as long as it says")


def message_meaning(content: PersonalMessage, signer: bytes, known: Known) -> Meaning:
    """Describe a message that `signer` signs."""
    message = content.message
    fields: tuple[tuple[str, str], ...] = (("Length", f"{len(message)} bytes"),)
    flags: tuple[str, ...] = ()
    try:
        text = message.decode()
    except UnicodeDecodeError:
        shown, flags = shown_bytes(message, 1024), ("The message is not text",)
    else:
        shown = "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)
        if shown != text:
            flags = ("The message holds characters that cannot be seen",)
    if len(message) == 32:
        flags += ("32 bytes may be the hash of something else: do not sign what is not shown",)
    if len(shown) > MAX_SHOWN:
        flags += (f"Only the first {MAX_SHOWN} characters are shown",)
    fields += (("Message", shown[:MAX_SHOWN]),)
    return Meaning("Sign message", signer, known.coins(0), fields, flags)

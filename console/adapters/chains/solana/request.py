"""The bytes of a request: a message, and before it owners that the message itself does not name.

A token account's address is derived from its first owner, so a name is enough to prove for whom the
account is: every member checks it from these bytes alone. They do not prove that the owner has not
handed the account over since: the proposer's node looks that up, and nothing fails if it happens
later. Only the message is signed.
"""

from dataclasses import dataclass

from solders.pubkey import Pubkey

from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.instructions.decode import readings_of
from console.adapters.chains.solana.instructions.shape import Reading
from console.adapters.chains.solana.instructions.token import CREATE_ASSOCIATED, NAMED_TRANSFERS
from console.adapters.chains.solana.message import ParsedMessage, parse_message
from console.application.errors import UnknownTransaction

MAX_OWNERS = 16
_KEY_BYTES = 32
_MARK = 0xFF
"""No message begins with it: it would be of version 127."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is signed, and the owners of token accounts, ascending."""

    data: bytes
    message: ParsedMessage
    owners: tuple[Pubkey, ...] = ()


def parse_request(data: bytes) -> Request:
    """Read a request; each owner must be needed, and proven. Raises: UnknownTransaction."""
    if data[:1] != bytes([_MARK]):
        return Request(data, parse_message(data))
    count = data[1] if len(data) > 1 else 0
    end = 2 + count * _KEY_BYTES
    if not 0 < count <= MAX_OWNERS or len(data) <= end:
        raise UnknownTransaction("the owners before the message are none or too many")
    owners = tuple(Pubkey(data[at : at + _KEY_BYTES]) for at in range(2, end, _KEY_BYTES))
    message = parse_message(data[end:])
    open_ones = unproven(message)
    proven = {_owner(reading, owners) for reading in open_ones} - {None}
    # One form for each request: what proves nothing could be added to a request at will.
    if owners != _sorted(owners) or proven != set(owners):
        raise UnknownTransaction("an owner before the message is of no token account in it")
    return Request(data[end:], message, owners)


def with_owners(message: bytes, owners: tuple[Pubkey, ...]) -> bytes:
    """Return a message with owners before it; the message itself if there are none."""
    if not owners:
        return message
    return bytes([_MARK, len(set(owners))]) + b"".join(map(bytes, _sorted(owners))) + message


def without_owners(data: bytes) -> bytes:
    """Return a request's message; other bytes, such as signed ones, as they are."""
    return parse_request(data).data if data[:1] == bytes([_MARK]) else data


def unproven(message: ParsedMessage) -> tuple[Reading, ...]:
    """Return the transfers of a named token whose receiver the message does not prove."""
    readings = readings_of(message)
    named = {r.key("Owner") for r in readings if r.shape is CREATE_ASSOCIATED}
    known = (message.payer, *named)
    return tuple(
        reading
        for reading in readings
        if any(reading.shape is shape for shape in NAMED_TRANSFERS)
        and _owner(reading, known) is None
    )


def _owner(reading: Reading, owners: tuple[Pubkey, ...]) -> Pubkey | None:
    mint, account = reading.key("Mint"), reading.key("To token account")
    for owner in owners:
        if token_account(owner, mint, reading.call.program) == account:
            return owner
    return None


def _sorted(owners: tuple[Pubkey, ...]) -> tuple[Pubkey, ...]:
    return tuple(sorted(set(owners), key=bytes))

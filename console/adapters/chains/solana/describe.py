"""What a message does, decoded from its bytes alone.

An instruction that is not understood is a red flag and is shown raw; none is skipped.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from solders.pubkey import Pubkey

from console.adapters.chains.solana.effect import Context, Effect
from console.adapters.chains.solana.fees import coins, fee_of
from console.adapters.chains.solana.flow import flow_of
from console.adapters.chains.solana.instructions.decode import MEMO, decode
from console.adapters.chains.solana.instructions.shape import NotUnderstood, Reading
from console.adapters.chains.solana.meaning import effects_of
from console.adapters.chains.solana.memo import read_memo
from console.adapters.chains.solana.message import Call, ParsedMessage
from console.adapters.chains.solana.nonce import durable_nonce
from console.adapters.chains.solana.programs import NAMES
from console.adapters.chains.solana.request import parse_request
from console.application.errors import UnknownTransaction
from console.application.ports.chain import Asset
from console.domain.transaction import TransactionDescription
from console.domain.values import Amount, Chain, Network

MAX_FIELDS = 400
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WalletContext:
    """The wallet, its network, the listed tokens by mint, and the red flags of mints."""

    network: Network
    wallet: Pubkey
    assets: Mapping[str, Asset] = field(default_factory=dict)
    dangers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Part:
    """Fields and red flags that one part of a message adds to its description."""

    fields: Fields = ()
    flags: tuple[str, ...] = ()


def describe(data: bytes, place: WalletContext) -> TransactionDescription:
    """Return the description of a request's bytes. Raises: UnknownTransaction."""
    request = parse_request(data)
    message = request.message
    readings, unknown = _read(message)
    context = Context(message.payer, readings, place.assets, request.owners, place.dangers)
    effects = effects_of(context)
    fee = fee_of(readings, message)
    first = effects[0] if effects else Effect("Other", "", coins(0))
    parts = (
        _told(effects),
        unknown,
        _memos(message, readings),
        _Part(fee.fields, fee.flags),
        _signers(message, place.wallet),
        _tables(message),
        _lifetime(message),
    )
    fields = tuple(entry for part in parts for entry in part.fields)
    if len(fields) > MAX_FIELDS:
        raise UnknownTransaction("it does more than can be shown: split it")
    return TransactionDescription(
        chain=Chain.SOLANA,
        network=place.network,
        action=first.action,
        from_address=str(message.payer),
        to_address=first.to,
        amount=_total(effects) if effects else first.amount,
        fee=coins(fee.lamports),
        fields=fields,
        red_flags=tuple(dict.fromkeys(flag for part in parts for flag in part.flags)),
        digest=hashlib.sha256(request.data).digest(),
        flow=flow_of(readings, message.payer),
    )


def _read(message: ParsedMessage) -> tuple[tuple[Reading, ...], _Part]:
    """Decode every instruction; one that cannot be decoded is shown raw."""
    readings: list[Reading] = []
    fields: list[tuple[str, str]] = []
    flags: list[str] = []
    for call in message.calls:
        try:
            readings.append(decode(call))
        except NotUnderstood as odd:
            name = NAMES.get(call.program, str(call.program))
            what = f"{name} ({odd.name})" if odd.name else name
            flags.append(f"Instruction {call.number} calls {what}, which is not understood")
            fields += _raw(call)
    return tuple(readings), _Part(tuple(fields), tuple(flags))


def _raw(call: Call) -> Fields:
    where = f"Instruction {call.number}"
    return (
        (f"{where} program", str(call.program)),
        (f"{where} accounts", " ".join(map(str, call.accounts)) or "none"),
        (f"{where} data", call.data.hex() or "none"),
    )


def _told(effects: tuple[Effect, ...]) -> _Part:
    """Return the effects after the first, which the description itself shows."""
    fields: list[tuple[str, str]] = []
    for number, effect in enumerate(effects, start=1):
        if number > 1:
            fields.append((f"{effect.action} {number} to", effect.to or "nobody"))
            fields.append((f"{effect.action} {number} amount", _written(effect.amount)))
        elif len(effects) > 1:
            fields.append((f"{effect.action} 1 amount", _written(effect.amount)))
        fields += effect.fields
    flags = [flag for effect in effects for flag in effect.flags]
    if len(effects) != 1:
        only_transfers = all(effect.transfer for effect in effects)
        flags.append(
            f"{len(effects)} transfers instead of one"
            if only_transfers
            else f"It does {len(effects)} things instead of one"
        )
    return _Part(tuple(fields), tuple(flags))


def _total(effects: tuple[Effect, ...]) -> Amount:
    """Return the sum of all effects in the first one's unit."""
    kind = (effects[0].amount.unit, effects[0].amount.decimals)
    amounts = (d.amount.base_units for d in effects if (d.amount.unit, d.amount.decimals) == kind)
    return Amount(sum(amounts), *kind)


def _memos(message: ParsedMessage, readings: tuple[Reading, ...]) -> _Part:
    memos = [reading.call for reading in readings if reading.shape is MEMO]
    read = [read_memo(call) for call in memos]
    flags = [flag for _, found in read for flag in found]
    if any(account != message.payer for call in memos for account in call.accounts):
        flags.append("The memo speaks for another account than the one that pays")
    return _Part(tuple(("Memo", text) for text, _ in read), tuple(flags))


def _signers(message: ParsedMessage, wallet: Pubkey) -> _Part:
    flags = []
    if message.payer != wallet:
        flags.append("Another account than this wallet's pays: it cannot be signed here")
    if len(message.signers) != 1:
        flags.append(f"{len(message.signers)} signatures are asked for; this wallet gives one")
    others = tuple(("Also signs", str(key)) for key in message.signers[1:])
    return _Part(others, tuple(flags))


def _tables(message: ParsedMessage) -> _Part:
    """Return a red flag for each lookup table: its accounts are not in the signed bytes."""
    return _Part(
        tuple(
            ("Accounts from table", f"{table.key} {table.writable.hex()} {table.readonly.hex()}")
            for table in message.tables
        ),
        tuple(
            f"It takes accounts from the table {table.key}, which are not in the message"
            for table in message.tables
        ),
    )


def _lifetime(message: ParsedMessage) -> _Part:
    nonce = durable_nonce(message)
    if nonce is None:
        return _Part((("Recent blockhash", str(message.lifetime)),))
    return _Part((("Durable nonce", str(nonce.account)), ("Nonce value", str(nonce.value))))


def _written(amount: Amount) -> str:
    return f"{amount.text()} {amount.unit}"

"""Replacement of a message with a durable nonce: the nonce admits only one of the two.

A replacement is the same message at a higher price of compute units, or only advances the nonce.
A message with a recent blockhash is not replaced: it expires within about a minute.
"""

from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.message import Message, MessageV0, to_bytes_versioned

from console.adapters.chains.solana.instructions import budget
from console.adapters.chains.solana.instructions.decode import decode
from console.adapters.chains.solana.instructions.shape import NotUnderstood, Shape
from console.adapters.chains.solana.message import Call, ParsedMessage, parse_message
from console.adapters.chains.solana.nonce import consumed, durable_nonce

CANCEL_UNITS = 3_000
"""Compute units for a cancellation: three instructions of 150."""


def is_replaceable(message: ParsedMessage) -> bool:
    """Return whether it has a durable nonce of its payer and no lookup tables."""
    nonce = durable_nonce(message)
    return nonce is not None and nonce.authority == message.payer and not message.tables


def unit_price(message: ParsedMessage) -> int:
    """Return its price of a compute unit, in millionths of a lamport."""
    for call in message.calls:
        if _is(call, budget.UNIT_PRICE):
            return decode(call).number("Micro-lamports")
    return 0


def replacement(old: ParsedMessage, price: int, *, cancel: bool) -> bytes:
    """Return the replacement of a replaceable message at this price of a compute unit."""
    priced = [set_compute_unit_price(price)] if price else []
    if cancel:
        limit = [set_compute_unit_limit(CANCEL_UNITS)] if price else []
        instructions = [_instruction(old, old.calls[0]), *limit, *priced]
    else:
        known = [_is(call, budget.UNIT_PRICE) for call in old.calls]
        # The advance stays first, else the message is not durable.
        place = known.index(True) if any(known) else 1
        kept = (call for call, is_price in zip(old.calls, known, strict=True) if not is_price)
        instructions = [_instruction(old, call) for call in kept]
        instructions[place:place] = priced
    if isinstance(old.library, Message):
        return bytes(Message.new_with_blockhash(instructions, old.payer, old.lifetime))
    return to_bytes_versioned(MessageV0.try_compile(old.payer, instructions, [], old.lifetime))


def why_not_replaced(old: bytes, new: bytes) -> str:
    """Return "" if `new` may replace `old`, else why not. Raises: UnknownTransaction."""
    before, after = parse_message(old), parse_message(new)
    if not is_replaceable(before):
        return "only what waits with a durable nonce can be replaced on this chain"
    if consumed(old).isdisjoint(consumed(new)):
        return "it does not use the same durable nonce: both could go through"
    price = unit_price(after)
    if new == replacement(before, price, cancel=True):
        return ""
    if price > unit_price(before) and new == replacement(before, price, cancel=False):
        return ""
    return "it is neither the same at a higher price nor the use of the nonce alone"


def _instruction(message: ParsedMessage, call: Call) -> Instruction:
    metas = [
        AccountMeta(key, is_signer=key in message.signers, is_writable=key in message.writable)
        for key in call.accounts
    ]
    return Instruction(call.program, call.data, metas)


def _is(call: Call, shape: Shape) -> bool:
    try:
        return decode(call).shape is shape
    except NotUnderstood:
        return False

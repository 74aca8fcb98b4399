"""Calls inside of calls: what a Safe or another smart account will do in its own name."""

from dataclasses import dataclass
from typing import Any

from console.adapters.chains.ethereum.abi import Decoded
from console.adapters.chains.ethereum.address import ZERO
from console.adapters.chains.ethereum.meaning import (
    Call,
    Known,
    shown_address,
    shown_bytes,
    written,
)

MAX_CALLS = 32
"""How many calls of one batch can be shown; a larger batch counts as not understood."""
_MULTI_HEAD = 1 + 20 + 32 + 32


@dataclass(frozen=True, slots=True)
class InnerCalls:
    """The calls that `account` makes, in order, with facts about their wrapping."""

    action: str
    account: bytes
    calls: tuple[Call, ...]
    fields: tuple[tuple[str, str], ...] = ()
    flags: tuple[str, ...] = ()


def inner_calls(decoded: Decoded, call: Call, known: Known) -> InnerCalls | None:
    """Return the calls inside of one; None if there are none, or if they are not understood."""
    # Foreign code that runs by delegatecall acts as its caller, not as itself.
    account = call.sender if call.delegate else call.to
    values = decoded.values
    match decoded.function.signature:
        case (
            "execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,"
            "address,bytes)"
        ):
            return safe_transaction(values, account, known)
        case "multiSend(bytes)":
            return _multi_send(values["transactions"], account)
        case "execute(address,uint256,bytes)":
            inner = Call(account, values["to"], values["value"], values["data"])
            return InnerCalls("Account", account, (inner,))
        case "executeBatch(address[],bytes[])":
            return _batch(values["to"], (0,) * len(values["to"]), values["data"], account)
        case "executeBatch(address[],uint256[],bytes[])":
            return _batch(values["to"], values["value"], values["data"], account)
        case _:
            return None


def safe_transaction(values: dict[str, Any], safe: bytes, known: Known) -> InnerCalls | None:
    """Return a Safe's call, from calldata or from typed data (the same names)."""
    operation = values["operation"]
    if operation not in {0, 1}:
        return None
    fields = [("Operation", "DELEGATECALL" if operation else "call")]
    flags: tuple[str, ...] = ()
    price, receiver, token = values["gasPrice"], values["refundReceiver"], values["gasToken"]
    if price:
        paid = known.coins(price) if token == ZERO else known.amount(token, price)
        flags = (f"The Safe refunds {written(paid)} per gas to whoever submits it",)
        fields.append(("Refund per gas", written(paid)))
    for label, address in (("Refund to", receiver), ("Refund in the token", token)):
        if address != ZERO:
            fields.append((label, shown_address(address)))
    for label, gas in (("Gas for the call", "safeTxGas"), ("Gas beside the call", "baseGas")):
        if values[gas]:
            fields.append((label, str(values[gas])))
    if values.get("signatures"):
        fields.append(("Owners' signatures", shown_bytes(values["signatures"])))
    inner = Call(safe, values["to"], values["value"], values["data"], delegate=operation == 1)
    return InnerCalls("Safe", safe, (inner,), tuple(fields), flags)


def _multi_send(packed: bytes, account: bytes) -> InnerCalls | None:
    """Return the calls of a packed batch: operation, destination, value, length of data, data."""
    calls: list[Call] = []
    start = 0
    while start < len(packed):
        head = packed[start : start + _MULTI_HEAD]
        length = int.from_bytes(head[53:], "big")
        start += _MULTI_HEAD + length
        if len(head) < _MULTI_HEAD or start > len(packed) or head[0] > 1 or len(calls) == MAX_CALLS:
            return None
        value = int.from_bytes(head[21:53], "big")
        data = packed[start - length : start]
        calls.append(Call(account, head[1:21], value, data, delegate=head[0] == 1))
    return InnerCalls("Batch", account, tuple(calls))


def _batch(
    targets: tuple[bytes, ...], values: tuple[int, ...], data: tuple[bytes, ...], account: bytes
) -> InnerCalls | None:
    if not len(targets) == len(values) == len(data) <= MAX_CALLS:
        return None
    parts = zip(targets, values, data, strict=True)
    return InnerCalls("Batch", account, tuple(Call(account, *part) for part in parts))

"""What a call and the calls inside of it do, in words: coins, tokens, allowances, Safes, batches.

Whatever is not understood is a red flag; whatever `to` and `amount` alone do not say has one too,
so that nothing but a plain transfer can pass on policy alone.
"""

from typing import Any

from console.adapters.chains.ethereum.abi import Decoded, decode_call, function_of
from console.adapters.chains.ethereum.address import ZERO
from console.adapters.chains.ethereum.inner_calls import InnerCalls, inner_calls
from console.adapters.chains.ethereum.meaning import (
    TO_ITSELF,
    Call,
    Known,
    Meaning,
    destination_flags,
    shown_address,
    shown_bytes,
    written,
)
from console.adapters.chains.ethereum.tokens import token_meaning

MAX_DEPTH = 4
"""How deep calls may be nested and still be shown."""


def call_meaning(call: Call, known: Known, depth: int = MAX_DEPTH) -> Meaning:
    """Describe a call, and the calls in it, from their bytes alone."""
    meaning = _meaning(call, known, depth)
    if call.delegate:
        code, account = shown_address(call.to), shown_address(call.sender)
        danger = f"DELEGATECALL: the code at {code} runs with all rights of {account}"
        meaning = meaning.with_more(
            (("Delegatecall to", code),), (f"{danger}; it can empty it or change its owners",)
        )
    return meaning


def inner_meaning(inner: InnerCalls, known: Known, depth: int = MAX_DEPTH) -> Meaning:
    """Describe the calls that an account makes in its own name."""
    if len(inner.calls) == 1:
        (only,) = inner.calls
        part = call_meaning(only, known, depth - 1)
        fields = (("Acting account", shown_address(inner.account)), *inner.fields, *part.fields)
        flags = _account_flags(inner, known) + inner.flags + part.flags
        return Meaning(f"{inner.action}: {part.action}", part.to, part.amount, fields, flags)
    fields = (
        ("Acting account", shown_address(inner.account)),
        ("Calls", str(len(inner.calls))),
        *inner.fields,
    )
    flags = _account_flags(inner, known) + inner.flags
    flags += (f"{len(inner.calls)} calls in one: each must be read",)
    total = 0
    for number, call in enumerate(inner.calls, start=1):
        part = call_meaning(call, known, depth - 1)
        total += call.value
        fields += (
            (f"Call {number}", part.action),
            (f"Call {number} to", shown_address(part.to)),
            (f"Call {number} amount", written(part.amount)),
            *((f"Call {number} · {label}", text) for label, text in part.fields),
        )
        flags += tuple(f"Call {number}: {flag}" for flag in part.flags)
    if total >= 1 << 256:
        total = 0
        flags += ("The calls send more coins than there are",)
    return Meaning(inner.action, inner.account, known.coins(total), fields, flags)


def _account_flags(inner: InnerCalls, known: Known) -> tuple[str, ...]:
    if inner.account in known.accounts:
        return ()
    # Any contract may offer a function of this name and do something else.
    return (f"{shown_address(inner.account)} is not on the list of this wallet's accounts",)


def _meaning(call: Call, known: Known, depth: int) -> Meaning:
    if not call.data:
        return _coins(call, known)
    decoded = decode_call(call.data)
    if decoded is None:
        return _unknown(call, known)
    inner = inner_calls(decoded, call, known)
    if inner is not None and inner.calls and depth > 0:
        meaning = inner_meaning(inner, known, depth)
    else:
        meaning = token_meaning(decoded, call, known) or _account_change(decoded, call, known)
    if not call.value:
        return meaning
    sent = written(known.coins(call.value))
    return meaning.with_more(
        (("Sent along", sent),), (f"{sent} go to {shown_address(call.to)} with the call",)
    )


def _coins(call: Call, known: Known) -> Meaning:
    flags = destination_flags(call.to, "coins")
    if not call.value and call.to != call.sender:
        flags += ("The transfer moves nothing",)
    action = TO_ITSELF if call.to == call.sender else "Transfer"
    return Meaning(action, call.to, known.coins(call.value), flags=flags)


def _unknown(call: Call, known: Known) -> Meaning:
    target = shown_address(call.to)
    function = function_of(call.data)
    if function is not None:
        flags = [f"The arguments of {function.signature} are not in their canonical form"]
    elif len(call.data) < 4:
        flags = [f"The data for {target} is too short to name a function"]
    else:
        flags = [f"Function 0x{call.data[:4].hex()} of {target} is not understood"]
    if call.value:
        sent = written(known.coins(call.value))
        flags.append(f"{sent} go to {target} together with data that is not understood")
    flags += destination_flags(call.to, "coins")
    fields = (("Data", shown_bytes(call.data)),)
    return Meaning("Contract call", call.to, known.coins(call.value), fields, tuple(flags))


_DANGERS = {
    "addOwnerWithThreshold(address,uint256)": "A new owner gets rights over this Safe",
    "removeOwner(address,address,uint256)": "An owner of this Safe loses all rights",
    "swapOwner(address,address,address)": "An owner of this Safe is exchanged for another one",
    "changeThreshold(uint256)": "The number of owners that must agree is changed",
    "enableModule(address)": "A module gets the right to act without any owner",
    "disableModule(address,address)": "A module loses the right to act",
    "setGuard(address)": "The guard of this Safe is changed",
    "setFallbackHandler(address)": "The code that answers for this Safe is changed",
}


def _account_change(decoded: Decoded, call: Call, known: Known) -> Meaning:
    """Describe a change of a Safe's own rules, or a batch that cannot be shown."""
    signature = decoded.function.signature
    danger = _DANGERS.get(signature)
    fields = tuple((name, _shown(value)) for name, value in decoded.values.items())
    if danger is None:
        fields += (("Data", shown_bytes(call.data)),)
        return Meaning(
            "Contract call",
            call.to,
            known.coins(call.value),
            fields,
            ("The calls inside of this one are too many, too deep or not readable",),
        )
    if call.to != call.sender:
        danger += f" ({shown_address(call.to)})"
    return Meaning("Change of rules", call.to, known.coins(0), fields, (danger,))


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{len(value)} entries"
    if isinstance(value, bytes):
        return shown_address(value) if len(value) == len(ZERO) else shown_bytes(value)
    return str(value)

"""ERC-4337 user operations, signed as EIP-712 data since version 0.8 of the entry point."""

from dataclasses import replace
from typing import Any

from console.adapters.chains.ethereum.calldata import call_meaning
from console.adapters.chains.ethereum.fees import limit_flags
from console.adapters.chains.ethereum.flow import sent_by
from console.adapters.chains.ethereum.meaning import (
    Call,
    Known,
    Meaning,
    shown_address,
    shown_bytes,
)
from console.domain.transaction import CoinFlow

_PAYMASTER_HEAD = 20 + 16 + 16
_EIP7702_MARK = b"\x77\x02"


def fee_ceiling(message: dict[str, Any]) -> int:
    """Return the most wei that the operation can cost its account (or the one who pays for it)."""
    limits, fees, paymaster = (
        message["accountGasLimits"],
        message["gasFees"],
        message["paymasterAndData"],
    )
    gas: int = message["preVerificationGas"] + _high(limits) + _low(limits)
    if len(paymaster) >= _PAYMASTER_HEAD:
        gas += _high(paymaster[20:52]) + _low(paymaster[20:52])
    return gas * _low(fees)


def user_operation_meaning(
    message: dict[str, Any], entry_point: bytes, signer: bytes, known: Known
) -> Meaning | None:
    """Describe what an account will do when the entry point calls it."""
    ceiling = fee_ceiling(message)
    if ceiling >= 1 << 256:
        return None
    account, init, paymaster = message["sender"], message["initCode"], message["paymasterAndData"]
    # The entry point calls the account; what the account does then stands in the call's data.
    call = Call(entry_point, account, 0, message["callData"])
    meaning = call_meaning(call, known)
    fields = [
        ("Account", shown_address(account)),
        ("Entry point", shown_address(entry_point)),
        ("Account nonce", str(message["nonce"])),
        ("Maximum fee per gas", f"{_low(message['gasFees'])} wei"),
    ]
    flags = limit_flags(_low(message["gasFees"]), ceiling)
    if init:
        delegated = init[:2] == _EIP7702_MARK and not init[2:20].strip(b"\0")
        fields.append(("Code to start with", shown_bytes(init)))
        flags += ("The account's code is set up by this operation" + " (EIP-7702)" * delegated,)
    if paymaster:
        if len(paymaster) < _PAYMASTER_HEAD:
            return None
        fields.append(("Paid by", shown_address(paymaster[:20])))
        flags += ("Somebody else pays the fee, and may demand something for it",)
    described = meaning.with_more(tuple(fields), flags)
    flow = CoinFlow(out=sent_by(signer, call, known), pays_fee=account == signer and not paymaster)
    return replace(described, action=f"User operation: {meaning.action}", fee=ceiling, flow=flow)


def _high(word: bytes) -> int:
    return int.from_bytes(word[:16], "big")


def _low(word: bytes) -> int:
    return int.from_bytes(word[16:], "big")

"""What an EIP-712 document means: permits, Permit2, Safe transactions, user operations.

A document is recognised by the whole text of its types; anything else is shown value by value and
flagged.
"""

from collections.abc import Callable
from typing import Any

from console.adapters.chains.ethereum.approvals import (
    Allowance,
    allowance_meaning,
    moment,
    spender_flags,
)
from console.adapters.chains.ethereum.calldata import inner_meaning
from console.adapters.chains.ethereum.inner_calls import safe_transaction
from console.adapters.chains.ethereum.meaning import Known, Meaning, shown_address
from console.adapters.chains.ethereum.typed_data import TypedData
from console.adapters.chains.ethereum.typed_leaves import has_hidden_text, leaves
from console.adapters.chains.ethereum.typed_schema import encode_type
from console.adapters.chains.ethereum.user_operation import user_operation_meaning

_DETAILS = "PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)"
_TOKEN = "TokenPermissions(address token,uint256 amount)"  # noqa: S105 - a type's text
_Handler = Callable[[dict[str, Any], bytes, bytes, Known], Meaning | None]


def typed_meaning(document: TypedData, signer: bytes, known: Known) -> Meaning:
    """Describe a document that `signer` signs."""
    handler = _HANDLERS.get(encode_type(document.schema.types, document.primary))
    contract = document.domain.get("verifyingContract")
    meaning = None
    if handler and isinstance(contract, bytes):
        meaning = handler(document.message, contract, signer, known)
    if meaning is None:
        meaning = _unknown(document, known)
    if has_hidden_text(document):
        meaning = meaning.with_more(flags=("A text in it is too long or cannot be seen whole",))
    return meaning


def _unknown(document: TypedData, known: Known) -> Meaning:
    contract = document.domain.get("verifyingContract")
    target = contract if isinstance(contract, bytes) else b""
    flag = f"What a signature of “{document.primary}” allows is not understood"
    return Meaning("Sign typed data", target, known.coins(0), tuple(leaves(document)), (flag,))


def _permit(message: dict[str, Any], token: bytes, signer: bytes, known: Known) -> Meaning:
    allowance = Allowance(
        token, message["owner"], message["spender"], message["value"], message["deadline"]
    )
    meaning = allowance_meaning("Permit", allowance, signer, known)
    return meaning.with_more((("Permit nonce", str(message["nonce"])),))


def _permit_all(message: dict[str, Any], token: bytes, signer: bytes, known: Known) -> Meaning:
    amount = (1 << 256) - 1 if message["allowed"] else 0
    # In this older form zero means no deadline.
    expiry = message["expiry"] or 1 << 64
    allowance = Allowance(token, message["holder"], message["spender"], amount, expiry)
    meaning = allowance_meaning("Permit", allowance, signer, known)
    return meaning.with_more((("Permit nonce", str(message["nonce"])),))


def _permit2(message: dict[str, Any], contract: bytes, signer: bytes, known: Known) -> Meaning:
    details = message["details"]
    single = not isinstance(details, list)
    parts = [
        (part["token"], part["amount"], part["expiration"], part["nonce"])
        for part in ([details] if single else details)
    ]
    meaning = _several("Permit2", parts, message["spender"], signer, known)
    fields = (
        ("Signature valid until", moment(message["sigDeadline"])),
        ("Through", shown_address(contract)),
    )
    return meaning.with_more(fields, spender_flags(contract, known))


def _permit2_transfer(
    message: dict[str, Any], contract: bytes, signer: bytes, known: Known
) -> Meaning:
    permitted = message["permitted"]
    parts = [
        (part["token"], part["amount"], message["deadline"], message["nonce"])
        for part in (permitted if isinstance(permitted, list) else [permitted])
    ]
    meaning = _several("Permit2 transfer", parts, message["spender"], signer, known)
    return meaning.with_more(
        (("Through", shown_address(contract)),),
        (*spender_flags(contract, known), "The spender decides where the tokens go"),
    )


def _several(
    action: str,
    parts: list[tuple[bytes, int, int, int]],
    spender: bytes,
    signer: bytes,
    known: Known,
) -> Meaning:
    """Describe allowances for one spender; the amount is that of the only one."""
    meanings = [
        allowance_meaning(action, Allowance(token, signer, spender, amount, until), signer, known)
        for token, amount, until, _ in parts
    ]
    nonces = tuple((f"Nonce {number}", str(part[3])) for number, part in enumerate(parts, start=1))
    if len(meanings) == 1:
        return meanings[0].with_more(nonces)
    fields = tuple(
        (f"Token {number} · {label}", text)
        for number, meaning in enumerate(meanings, start=1)
        for label, text in meaning.fields
    )
    flags = tuple(dict.fromkeys(flag for meaning in meanings for flag in meaning.flags))
    flags += (f"{len(meanings)} allowances in one signature",)
    return Meaning(action, spender, known.coins(0), fields + nonces, flags)


def _safe(message: dict[str, Any], safe: bytes, _signer: bytes, known: Known) -> Meaning | None:
    inner = safe_transaction(message, safe, known)
    if inner is None:
        return None
    meaning = inner_meaning(inner, known)
    return meaning.with_more((("Safe nonce", str(message["nonce"])),))


_HANDLERS: dict[str, _Handler] = {
    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)": _permit,
    "Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)": _permit_all,
    f"PermitSingle(PermitDetails details,address spender,uint256 sigDeadline){_DETAILS}": _permit2,
    f"PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline){_DETAILS}": _permit2,
    "PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,"
    f"uint256 deadline){_TOKEN}": _permit2_transfer,
    "PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,"
    f"uint256 deadline){_TOKEN}": _permit2_transfer,
    "SafeTx(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,"
    "uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,"
    "uint256 nonce)": _safe,
    "PackedUserOperation(address sender,uint256 nonce,bytes initCode,bytes callData,"
    "bytes32 accountGasLimits,uint256 preVerificationGas,bytes32 gasFees,"
    "bytes paymasterAndData)": user_operation_meaning,
}

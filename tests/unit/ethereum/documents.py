"""EIP-712 documents for the tests."""

import json
from typing import Any

from console.adapters.chains.ethereum.address import checksummed
from console.adapters.chains.ethereum.build import call_data
from tests.unit.ethereum.places import CHAIN_ID, ETHER, FRIEND, ME, ROUTER, SAFE, USDC

DOMAIN = {
    "name": "string",
    "version": "string",
    "chainId": "uint256",
    "verifyingContract": "address",
    "salt": "bytes32",
}
SOON = 1_900_000_000
_DETAILS = {"token": "address", "amount": "uint160", "expiration": "uint48", "nonce": "uint48"}
_PERMISSIONS = {"token": "address", "amount": "uint256"}


def _fields(fields: dict[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in fields.items()]


def document(
    primary: str,
    types: dict[str, dict[str, str]],
    message: dict[str, Any],
    contract: bytes = USDC,
    **domain: Any,
) -> dict[str, Any]:
    """Return a document; a domain's part that is None is left out."""
    whole = {
        "name": "A token",
        "version": "1",
        "chainId": CHAIN_ID,
        "verifyingContract": checksummed(contract),
        **domain,
    }
    kept = {name: value for name, value in whole.items() if value is not None}
    domain_type = {name: kind for name, kind in DOMAIN.items() if name in kept}
    return {
        "types": {
            "EIP712Domain": _fields(domain_type),
            **{name: _fields(fields) for name, fields in types.items()},
        },
        "primaryType": primary,
        "domain": kept,
        "message": message,
    }


def encoded(content: Any) -> bytes:
    """Return the bytes of a document."""
    return json.dumps(content).encode()


def permit(**values: Any) -> dict[str, Any]:
    fields = {
        "owner": "address",
        "spender": "address",
        "value": "uint256",
        "nonce": "uint256",
        "deadline": "uint256",
    }
    message = {
        "owner": checksummed(ME),
        "spender": checksummed(ROUTER),
        "value": "5000000",
        "nonce": 3,
        "deadline": SOON,
        **values,
    }
    return document("Permit", {"Permit": fields}, message)


def older_permit(**values: Any) -> dict[str, Any]:
    fields = {
        "holder": "address",
        "spender": "address",
        "nonce": "uint256",
        "expiry": "uint256",
        "allowed": "bool",
    }
    message = {
        "holder": checksummed(ME),
        "spender": checksummed(ROUTER),
        "nonce": 3,
        "expiry": 0,
        "allowed": True,
        **values,
    }
    return document("Permit", {"Permit": fields}, message)


def _detail(**values: Any) -> dict[str, Any]:
    detail = {"token": checksummed(USDC), "amount": "5", "expiration": SOON, "nonce": 1}
    return {**detail, **values}


def permit2(count: int = 0, contract: bytes = ROUTER, **values: Any) -> dict[str, Any]:
    """Return PermitSingle, or PermitBatch for a count."""
    kind, brackets = ("PermitBatch", "[]") if count else ("PermitSingle", "")
    fields = {
        "details": f"PermitDetails{brackets}",
        "spender": "address",
        "sigDeadline": "uint256",
    }
    message = {
        "details": [_detail(**values)] * count if count else _detail(**values),
        "spender": checksummed(ROUTER),
        "sigDeadline": SOON,
    }
    types = {kind: fields, "PermitDetails": _DETAILS}
    return document(kind, types, message, contract, version=None)


def permit2_transfer(count: int = 0) -> dict[str, Any]:
    kind, brackets = ("PermitBatchTransferFrom", "[]") if count else ("PermitTransferFrom", "")
    fields = {
        "permitted": f"TokenPermissions{brackets}",
        "spender": "address",
        "nonce": "uint256",
        "deadline": "uint256",
    }
    part = {"token": checksummed(USDC), "amount": 5}
    message = {
        "permitted": [part] * count if count else part,
        "spender": checksummed(ROUTER),
        "nonce": 1,
        "deadline": SOON,
    }
    types = {kind: fields, "TokenPermissions": _PERMISSIONS}
    return document(kind, types, message, ROUTER, version=None)


def safe_transaction(contract: bytes = SAFE, **values: Any) -> dict[str, Any]:
    fields = {
        "to": "address",
        "value": "uint256",
        "data": "bytes",
        "operation": "uint8",
        "safeTxGas": "uint256",
        "baseGas": "uint256",
        "gasPrice": "uint256",
        "gasToken": "address",
        "refundReceiver": "address",
        "nonce": "uint256",
    }
    zero = f"0x{'0' * 40}"
    message = {
        "to": checksummed(FRIEND),
        "value": str(ETHER),
        "data": "0x",
        "operation": 0,
        "safeTxGas": 0,
        "baseGas": 0,
        "gasPrice": "0",
        "gasToken": zero,
        "refundReceiver": zero,
        "nonce": 12,
        **values,
    }
    return document("SafeTx", {"SafeTx": fields}, message, contract, name=None, version=None)


def user_operation(**values: Any) -> dict[str, Any]:
    fields = {
        "sender": "address",
        "nonce": "uint256",
        "initCode": "bytes",
        "callData": "bytes",
        "accountGasLimits": "bytes32",
        "preVerificationGas": "uint256",
        "gasFees": "bytes32",
        "paymasterAndData": "bytes",
    }
    call = call_data("execute(address,uint256,bytes)", FRIEND, ETHER, b"")
    message = {
        "sender": checksummed(SAFE),
        "nonce": "0x10",
        "initCode": "0x",
        "callData": f"0x{call.hex()}",
        "accountGasLimits": f"0x{70_000:032x}{30_000:032x}",
        "preVerificationGas": 50_000,
        "gasFees": f"0x{10**9:032x}{20 * 10**9:032x}",
        "paymasterAndData": "0x",
        **values,
    }
    types = {"PackedUserOperation": fields}
    return document("PackedUserOperation", types, message, b"\x43" * 20, name="ERC4337")

"""The machine's errors in a node's JSON."""

import re

from console.devnet.failure import RpcFailure

PREFLIGHT_FAILURE = -32002
_INSTRUCTION = re.compile(
    r"TransactionErrorInstructionError\(\((\d+), (?:Fieldless|Tagged)\((.+)\)\)\)"
)
_CUSTOM = re.compile(r"InstructionErrorCustom\((\d+)\)")
_RENT = re.compile(r"TransactionErrorInsufficientFundsForRent.*?(\d+)")


def executed(error: object) -> bool:
    """Return whether the transaction was executed, and so pays its fee and is in a block."""
    return "InstructionError" in str(error)


def error_json(error: object) -> object:
    """Return an error in the JSON of `TransactionError`: a name, or a name with its fields.

    The library's own encoder is not used: it lacks some of the machine's errors.
    """
    text = str(error)
    instruction = _INSTRUCTION.fullmatch(text)
    if instruction:
        inner = instruction[2]
        custom = _CUSTOM.fullmatch(inner)
        told = {"Custom": int(custom[1])} if custom else _name(inner)
        return {"InstructionError": [int(instruction[1]), told]}
    rent = _RENT.search(text)
    if rent:
        return {"InsufficientFundsForRent": {"account_index": int(rent[1])}}
    return _name(text)


def refusal(error: object, logs: list[str], sentence: str = "") -> RpcFailure:
    """Return the failure of a transaction that a node does not forward."""
    text = f"Transaction simulation failed: {sentence or error}"
    return RpcFailure(PREFLIGHT_FAILURE, text, {"err": error, "logs": logs})


def _name(text: str) -> str:
    return text.rpartition(".")[2]

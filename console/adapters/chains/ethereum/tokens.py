"""Calls of token contracts: ERC-20, ERC-721, ERC-1155, permits."""

from collections.abc import Callable
from typing import Any

from console.adapters.chains.ethereum.abi import Decoded
from console.adapters.chains.ethereum.approvals import (
    Allowance,
    allowance_meaning,
    spender_flags,
    token_flags,
)
from console.adapters.chains.ethereum.meaning import (
    TO_ITSELF,
    Call,
    Known,
    Meaning,
    TokenStandard,
    destination_flags,
    shown_address,
    shown_bytes,
    written,
)
from console.domain.values import Amount

MAX_ITEMS = 32
"""How many different tokens of one batch are listed."""

_Handler = Callable[[dict[str, Any], Call, Known], Meaning]


def token_meaning(decoded: Decoded, call: Call, known: Known) -> Meaning | None:
    """Describe a call of a token's contract; None if the function is none of a token."""
    handler = _HANDLERS.get(decoded.function.signature)
    return handler(decoded.values, call, known) if handler else None


def _transfer(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    return _moved(call.sender, values, call, known)


def _transfer_from(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    return _moved(values["from"], values, call, known)


def _moved(source: bytes, values: dict[str, Any], call: Call, known: Known) -> Meaning:
    """Describe an amount that moves; of an ERC-721 contract the number is which token moves."""
    token = known.tokens.get(call.to)
    single = token is not None and token.standard is TokenStandard.ERC721
    number, to = values["amount"], values["to"]
    amount = Amount(1, token.symbol, 0) if token and single else known.amount(call.to, number)
    fields = [("Token contract", shown_address(call.to))]
    if single:
        fields.append(("Token id", str(number)))
    flags = _standard_flags(call, known, TokenStandard.ERC20, TokenStandard.ERC721)
    if not number and not single:
        flags += ("The transfer moves nothing",)
    return Meaning(
        _action(source, to),
        to,
        amount,
        (*fields, *_source_fields(source, call)),
        flags + _source_flags(source, call) + _target_flags(to, call),
    )


def _single(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    amount = Amount(1, _symbol(call, known), 0)
    flags = _standard_flags(call, known, TokenStandard.ERC721)
    return _identified([(values["id"], 1)], amount, values, call, flags)


def _several(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    amount = Amount(values["amount"], _symbol(call, known), 0)
    flags = _standard_flags(call, known, TokenStandard.ERC1155)
    if not values["amount"]:
        flags += ("The transfer moves nothing",)
    return _identified([(values["id"], values["amount"])], amount, values, call, flags)


def _batch(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    ids, amounts = values["ids"], values["amounts"]
    flags = _standard_flags(call, known, TokenStandard.ERC1155)
    if len(ids) != len(amounts):
        flags += ("The lists of tokens and amounts differ in length: the call will fail",)
    if len(ids) > MAX_ITEMS:
        flags += (f"{len(ids)} kinds of tokens move; only the first {MAX_ITEMS} are listed",)
    total = sum(amounts)
    if total >= 1 << 256:
        flags += ("The amounts are larger than any token's supply",)
    amount = Amount(min(total, (1 << 256) - 1), _symbol(call, known), 0)
    pairs = list(zip(ids, amounts, strict=False))[:MAX_ITEMS]
    return _identified(pairs, amount, values, call, flags)


def _identified(
    pairs: list[tuple[int, int]],
    amount: Amount,
    values: dict[str, Any],
    call: Call,
    flags: tuple[str, ...],
) -> Meaning:
    """Describe tokens that have numbers."""
    source, to = values["from"], values["to"]
    fields = [("Token contract", shown_address(call.to))]
    fields += [("Token id", f"{number} (amount {count})") for number, count in pairs]
    if values.get("data"):
        fields.append(("Data for the receiver", shown_bytes(values["data"])))
        flags += ("The receiving contract is given data that is not understood",)
    return Meaning(
        _action(source, to),
        to,
        amount,
        (*fields, *_source_fields(source, call)),
        flags + _source_flags(source, call) + _target_flags(to, call),
    )


def _approve(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    token = known.tokens.get(call.to)
    if token is not None and token.standard is TokenStandard.ERC721:
        spender = values["spender"]
        return Meaning(
            "Approve",
            spender,
            Amount(1, token.symbol, 0),
            (
                ("Token contract", shown_address(call.to)),
                ("Token id", str(values["amount"])),
            ),
            spender_flags(spender, known),
        )
    allowance = Allowance(call.to, call.sender, values["spender"], values["amount"])
    return allowance_meaning("Approve", allowance, call.sender, known)


def _increase(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    allowance = Allowance(call.to, call.sender, values["spender"], values["amount"])
    meaning = allowance_meaning("Increase allowance", allowance, call.sender, known)
    return meaning.with_more((("Note", "comes on top of what is allowed already"),))


def _decrease(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    amount = known.amount(call.to, values["amount"])
    fields = (("Token contract", shown_address(call.to)), ("Allowance less", written(amount)))
    flags = token_flags(call.to, known)
    return Meaning("Decrease allowance", values["spender"], amount, fields, flags)


def _approve_for_all(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    operator, approved = values["operator"], values["approved"]
    fields = (
        ("Token contract", shown_address(call.to)),
        ("Rights over the whole collection", "given" if approved else "taken back"),
    )
    flags = _standard_flags(call, known, TokenStandard.ERC721, TokenStandard.ERC1155)
    if approved:
        flags += (f"{shown_address(operator)} may take every token of this collection",)
        flags += spender_flags(operator, known)
    amount = Amount(0, _symbol(call, known), 0)
    return Meaning("Approve for all", operator, amount, fields, flags)


def _permit(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    allowance = Allowance(
        call.to, values["owner"], values["spender"], values["amount"], values["deadline"]
    )
    return allowance_meaning("Permit", allowance, call.sender, known).with_more(_proof(values))


def _permit_all(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    amount = (1 << 256) - 1 if values["allowed"] else 0
    # In this older form zero means no deadline.
    deadline = values["deadline"] or 1 << 64
    allowance = Allowance(call.to, values["owner"], values["spender"], amount, deadline)
    meaning = allowance_meaning("Permit", allowance, call.sender, known)
    return meaning.with_more((("Permit nonce", str(values["nonce"])), *_proof(values)))


def _proof(values: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    whole = values["r"] + values["s"] + bytes([values["v"]])
    return (("Owner's signature", shown_bytes(whole)),)


def _permit2_approve(values: dict[str, Any], call: Call, known: Known) -> Meaning:
    allowance = Allowance(
        values["token"], call.sender, values["spender"], values["amount"], values["deadline"]
    )
    meaning = allowance_meaning("Approve", allowance, call.sender, known)
    return meaning.with_more((("Through", shown_address(call.to)),), spender_flags(call.to, known))


def _symbol(call: Call, known: Known) -> str:
    token = known.tokens.get(call.to)
    return token.symbol if token else "tokens"


def _standard_flags(call: Call, known: Known, *standards: TokenStandard) -> tuple[str, ...]:
    token = known.tokens.get(call.to)
    if token is not None and token.standard not in standards:
        return (f"{token.symbol} is an {token.standard} token, which has no such function",)
    return token_flags(call.to, known)


def _action(source: bytes, to: bytes) -> str:
    return TO_ITSELF if source == to else "Transfer tokens"


def _source_fields(source: bytes, call: Call) -> tuple[tuple[str, str], ...]:
    return () if source == call.sender else (("Taken from", shown_address(source)),)


def _source_flags(source: bytes, call: Call) -> tuple[str, ...]:
    if source == call.sender:
        return ()
    return ("Tokens are taken from another account than the one that signs",)


def _target_flags(target: bytes, call: Call) -> tuple[str, ...]:
    flags = destination_flags(target, "tokens")
    if target == call.to:
        flags += ("The tokens go to their own contract, from which nobody can move them",)
    return flags


_HANDLERS: dict[str, _Handler] = {
    "transfer(address,uint256)": _transfer,
    "transferFrom(address,address,uint256)": _transfer_from,
    "approve(address,uint256)": _approve,
    "increaseAllowance(address,uint256)": _increase,
    "decreaseAllowance(address,uint256)": _decrease,
    "safeTransferFrom(address,address,uint256)": _single,
    "safeTransferFrom(address,address,uint256,bytes)": _single,
    "setApprovalForAll(address,bool)": _approve_for_all,
    "safeTransferFrom(address,address,uint256,uint256,bytes)": _several,
    "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)": _batch,
    "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)": _permit,
    "permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)": _permit_all,
    "approve(address,address,uint160,uint48)": _permit2_approve,
}

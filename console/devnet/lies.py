"""Well-formed false answers, each made from the right one with one change."""

import json
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
FACTOR = 1000
MAINNET = {
    "ethereum": "0x1",
    "solana": "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d",
    "bitcoin": "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
}
"""Chain id, genesis hash and block 0 of the public networks."""
_CHAIN_QUESTIONS = frozenset({"eth_chainId", "getGenesisHash", "block-height/0"})
_MONEY_METHODS = frozenset(
    {
        "eth_getBalance",
        "eth_call",
        "getBalance",
        "getTokenAccountBalance",
        "getTokenAccountsByOwner",
    }
)
_MONEY_FIELDS = frozenset(
    {"amount", "funded_txo_sum", "lamports", "spent_txo_sum", "uiAmountString", "value"}
)
_BROADCASTS = frozenset({"eth_sendRawTransaction", "sendTransaction", "tx"})
_BALANCE_OF = "0x70a08231"


@dataclass(frozen=True, slots=True)
class Question:
    """A question: a JSON-RPC call, or a path below the chain's own."""

    chain: str
    path: str
    request: web.Request

    async def name(self) -> str:
        """Return the method of a call, else the path."""
        return str((await self._call()).get("method", "")) or self.path

    async def asks_for_money(self) -> bool:
        """Return whether the answer has amounts."""
        name, params = await self.name(), (await self._call()).get("params") or [{}]
        if name == "eth_call":
            return str(params[0].get("data") or params[0].get("input")).startswith(_BALANCE_OF)
        return name in _MONEY_METHODS or name.startswith(("address/", "tx/"))

    async def _call(self) -> dict[str, Any]:
        try:
            call = json.loads(await self.request.read())
        except (ValueError, RecursionError):
            return {}
        return call if isinstance(call, dict) else {}


Lie: TypeAlias = Callable[[Question, Handler], Awaitable[web.StreamResponse]]


async def another_chain(question: Question, handler: Handler) -> web.StreamResponse:
    """Return the answer of the public network."""
    honest = await handler(question.request)
    if await question.name() not in _CHAIN_QUESTIONS:
        return honest
    return _changed(honest, lambda _: MAINNET[question.chain])


async def more_money(question: Question, handler: Handler) -> web.StreamResponse:
    """Return the answer with every amount multiplied."""
    honest = await handler(question.request)
    if not await question.asks_for_money():
        return honest
    return _changed(honest, _multiplied)


async def another_transaction(question: Question, handler: Handler) -> web.StreamResponse:
    """Return another transaction's id for a broadcast."""
    honest = await handler(question.request)
    is_broadcast = question.request.method == "POST" and await question.name() in _BROADCASTS
    return _changed(honest, _other_id) if is_broadcast else honest


async def not_a_number(question: Question, handler: Handler) -> web.StreamResponse:
    """Return the answer with NaN, which is no JSON, in place of a number."""
    return _changed(await handler(question.request), _without_numbers)


async def duplicate_keys(question: Question, handler: Handler) -> web.StreamResponse:
    """Return the answer with every key twice, the second time with a larger amount."""
    honest = await handler(question.request)
    if not isinstance(honest, web.Response) or not isinstance(honest.body, bytes):
        return honest
    try:
        body = json.loads(honest.body)
    except ValueError:
        return honest
    return _with_body(honest, _doubled(body))


def _changed(honest: web.StreamResponse, change: Callable[[Any], object]) -> web.StreamResponse:
    """Return the answer with its result, JSON body or text changed, unless it is a refusal."""
    if not isinstance(honest, web.Response) or not isinstance(honest.body, bytes):
        return honest
    if honest.status != 200:
        return honest
    if honest.content_type != "application/json":
        return _with_body(honest, str(change(honest.body.decode())))
    body = json.loads(honest.body)
    if isinstance(body, dict) and "jsonrpc" in body:
        told = {"result": change(body["result"])} if "result" in body else {}
        return _with_body(honest, json.dumps(body | told))
    return _with_body(honest, json.dumps(change(body)))


def _with_body(honest: web.Response, text: str) -> web.Response:
    return web.Response(text=text, status=honest.status, content_type=honest.content_type)


def _multiplied(value: object, inside: str = "value") -> object:
    match value:
        case dict():
            return {name: _multiplied(part, name) for name, part in value.items()}
        case list():
            return [_multiplied(part, inside) for part in value]
        case int() if inside in _MONEY_FIELDS and not isinstance(value, bool):
            return value * FACTOR
        case str() if inside in _MONEY_FIELDS and value.startswith("0x"):
            return _hex_like(value, int(value, 16) * FACTOR)
        case str() if inside in _MONEY_FIELDS and value.isdecimal():
            return str(int(value) * FACTOR)
    return value


def _hex_like(value: str, number: int) -> str:
    """Return a number in the form of the other: a quantity, or a word of 32 bytes."""
    return f"0x{number:064x}" if len(value) == 66 else hex(number)


def _without_numbers(value: object) -> object:
    match value:
        case dict():
            return {name: _without_numbers(part) for name, part in value.items()}
        case list() if value:
            return [_without_numbers(part) for part in value]
        case str() if value and not value.startswith("0x") and not value.isdecimal():
            return value
    return math.nan


def _other_id(value: object) -> object:
    """Return the text with another last character: 1 and 2 are hexadecimal and base58 digits."""
    text = str(value)
    return text[:-1] + ("2" if text.endswith("1") else "1")


def _doubled(value: object) -> str:
    match value:
        case dict():
            pairs = [f"{json.dumps(name)}:{_doubled(part)}" for name, part in value.items()]
            lies = [
                f"{json.dumps(name)}:{json.dumps(_multiplied(part, 'value'))}"
                for name, part in value.items()
            ]
            return "{" + ",".join(pairs + lies) + "}"
        case list():
            return "[" + ",".join(_doubled(part) for part in value) + "]"
    return json.dumps(value)

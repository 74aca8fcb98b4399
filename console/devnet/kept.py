"""A devnet that is kept: what changed its chains is written down, and done again at its start.

The chains live in memory and are made alike each time, so the same orders lead to the same chains,
but for the times of their blocks.
"""

import json
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from coincurve import PrivateKey

from console.devnet.bitcoin.faucet import Faucet
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.ethereum.node import EthereumDevnet
from console.devnet.solana.node import SolanaDevnet
from console.devnet.tokens import make_tokens

MAX_ORDERS = 100_000
_MAX_LINE = 600_000
_CHANGING = frozenset({"sendTransaction", "requestAirdrop", "eth_sendRawTransaction"})
_BITCOIN, _SEND, _FUND = "/bitcoin", "/bitcoin/tx", "/bitcoin/devnet/fund"
_FAUCET_KEY = (1).to_bytes(32, "big")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class NotKept(Exception):
    """The orders that were written down do not lead to a chain."""


@dataclass(frozen=True, slots=True)
class Chains:
    """The chains of one devnet."""

    solana: SolanaDevnet
    ethereum: EthereumDevnet
    bitcoin: BitcoinDevnet


def fresh_chains(*, kept: bool) -> Chains:
    """Return new chains; those that are `kept` have a faucet whose key is always the same."""
    solana = SolanaDevnet()
    make_tokens(solana)
    faucet = Faucet(PrivateKey(_FAUCET_KEY)) if kept else Faucet()
    return Chains(solana, EthereumDevnet(), BitcoinDevnet(faucet))


class KeptOrders:
    """The orders in a file, one a line, in the order in which they were done."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0

    def restore(self) -> tuple[Chains, bool]:
        """Return the chains as they were, and whether they had to be begun anew."""
        chains = fresh_chains(kept=True)
        try:
            for path, body in self._read():
                _do(chains, path, body)
                self._count += 1
        except NotKept:
            chains.bitcoin.close()
            self._path.replace(self._path.with_suffix(".unusable"))
            self._count = 0
            return fresh_chains(kept=True), True
        return chains, False

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Write an order down once it is done."""
        response = await handler(request)
        if request.method == "POST" and response.status == web.HTTPOk.status_code:
            body = (await request.read()).decode()
            if _changes(request.path, body) and _succeeded(request.path, response):
                self._write(request.path, body)
        return response

    def _write(self, path: str, body: str) -> None:
        if self._count >= MAX_ORDERS:
            return
        self._count += 1
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([path, body]) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> Iterator[tuple[str, str]]:
        """Yield the orders but a last one that is cut off. Raises: NotKept."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            for _ in range(MAX_ORDERS):
                line = file.readline(_MAX_LINE)
                if not line.endswith(b"\n"):
                    break
                try:
                    path, body = json.loads(line)
                except (ValueError, TypeError):
                    raise NotKept from None
                yield str(path), str(body)
        if line:
            # What follows would be written behind half a line.
            with self._path.open("rb+") as file:
                whole = file.read()
                file.truncate(whole.rfind(b"\n") + 1)


def _changes(path: str, body: str) -> bool:
    if path.startswith(_BITCOIN):
        return path in {_SEND, _FUND}
    method = _call(body)[0]
    return method in _CHANGING or method.startswith("devnet_")


def _succeeded(path: str, response: web.StreamResponse) -> bool:
    if path.startswith(_BITCOIN):
        return True
    content = response.body if isinstance(response, web.Response) else None
    return isinstance(content, bytes) and "error" not in json.loads(content)


def _call(body: str) -> tuple[str, list[Any]]:
    try:
        call = json.loads(body)
        return str(call["method"]), list(call.get("params") or [])
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", []


def _do(chains: Chains, path: str, body: str) -> None:
    """Do an order again. Raises: NotKept."""
    try:
        if path == _SEND:
            chains.bitcoin.send(bytes.fromhex(body))
        elif path == _FUND:
            order = json.loads(body)
            chains.bitcoin.fund(str(order["address"]), int(order["sats"]))
        else:
            chain = chains.solana if path == "/solana" else chains.ethereum
            chain.answer(*_call(body))
    # Whatever a chain makes of a damaged order: the demonstration begins anew then.
    except Exception:  # noqa: BLE001
        raise NotKept from None

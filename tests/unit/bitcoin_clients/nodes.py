"""False nodes: one that answers as it is told, and one that speaks Core's JSON-RPC honestly."""

import json
from decimal import Decimal
from typing import Any

from aiohttp import web
from bitcoin.core import b2lx

from console.devnet.bitcoin.addresses import script_of
from console.devnet.bitcoin.index import Placed
from console.devnet.bitcoin.node import BitcoinDevnet
from console.devnet.bitcoin.policy import PolicyRefused
from tests.fakes.false_node import FalseNode


class HttpNode(FalseNode):
    """Answers every question with what it was told to say; `asked` are the paths."""

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        return await self.answer(request)


class CoreDouble:
    """Bitcoin Core's JSON-RPC, as its help texts describe it, over the devnet's chain."""

    def __init__(self, devnet: BitcoinDevnet) -> None:
        self._devnet = devnet
        self.min_fee = "0.00001000"
        self.estimates: dict[int, str] = {}
        self.changes: dict[str, dict[str, object]] = {}
        """What is told otherwise, for each method."""
        self.refused: set[str] = set()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=1 << 22)
        app.router.add_post("/", self._handle)
        return app

    async def _handle(self, request: web.Request) -> web.Response:
        call = json.loads(await request.read())
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            result = self._result(call["method"], call["params"])
        except _Refusal as refusal:
            body["error"] = {"code": refusal.code, "message": str(refusal)}
            return web.Response(text=json.dumps(body))
        # Amounts are written with eight places, as Core does and json does not.
        text = json.dumps(body | {"result": result}, default=lambda amount: f"@{amount:.8f}@")
        return web.Response(text=text.replace('"@', "").replace('@"', ""))

    def _result(self, method: str, params: list[Any]) -> Any:
        if method in self.refused:
            raise _Refusal(-28, "warming up")
        told = getattr(self, f"_{method}")(*params)
        return told | self.changes[method] if method in self.changes else told

    def _getblockcount(self) -> int:
        return self._devnet.chain.height

    def _getblockhash(self, height: int) -> str:
        if not 0 <= height <= self._devnet.chain.height:
            raise _Refusal(-8, "Block height out of range")
        return str(b2lx(self._devnet.chain.blocks[height].GetHash()))

    def _getblockheader(self, block_hash: str) -> dict[str, object]:
        for height, block in enumerate(self._devnet.chain.blocks):
            if b2lx(block.GetHash()) == block_hash:
                depth = self._devnet.chain.height - height + 1
                return {"hash": block_hash, "height": height, "confirmations": depth}
        raise _Refusal(-5, "Block not found")

    def _scantxoutset(self, action: str, objects: list[str]) -> dict[str, object]:
        assert action == "start"
        script = script_of(objects[0].removeprefix("addr(").removesuffix(")"))
        if script is None:
            raise _Refusal(-5, "Address is not valid")
        found = [
            {
                "txid": b2lx(txid),
                "vout": number,
                "scriptPubKey": script.hex(),
                "amount": Decimal(int(coin.output.nValue)) / 10**8,
                "coinbase": coin.coinbase,
                "height": coin.height,
            }
            for (txid, number), coin in self._devnet.chain.coins.items()
            if bytes(coin.output.scriptPubKey) == script
        ]
        return {"success": True, "txouts": 9, "unspents": found, "total_amount": Decimal(0)}

    def _gettxout(self, txid: str, number: int, with_mempool: bool) -> object:
        outpoint = (bytes.fromhex(txid)[::-1], number)
        spent = with_mempool and outpoint in self._devnet.mempool.spenders
        return None if spent or outpoint not in self._devnet.chain.coins else {"coinbase": False}

    def _getrawtransaction(self, txid: str, verbose: bool) -> object:
        found = self._devnet.find(bytes.fromhex(txid)[::-1])
        if found is None:
            raise _Refusal(-5, "No such mempool or blockchain transaction.")
        raw = found.transaction.serialize().hex()
        if not verbose:
            return raw
        told: dict[str, object] = {"txid": txid, "hex": raw}
        if isinstance(found, Placed):
            told["blockhash"] = self._getblockhash(found.height)
            told["confirmations"] = self._devnet.chain.height - found.height + 1
        return told

    def _getmempoolinfo(self) -> dict[str, object]:
        return {"loaded": True, "mempoolminfee": Decimal(self.min_fee)}

    def _estimatesmartfee(self, target: int) -> dict[str, object]:
        if target not in self.estimates:
            return {"errors": ["Insufficient data or no feerate found"], "blocks": target}
        return {"feerate": Decimal(self.estimates[target]), "blocks": target}

    def _sendrawtransaction(self, raw: str) -> str:
        try:
            return str(b2lx(self._devnet.send(bytes.fromhex(raw))))
        except PolicyRefused as refusal:
            raise _Refusal(refusal.code, str(refusal)) from None


class _Refusal(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

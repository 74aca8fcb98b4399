"""The provider asks by the method's rule, and gives web3 only what the rule's shape names."""

import msgspec
import pytest

from console.adapters.rpc import sources as sources_module
from console.adapters.rpc.json_rpc import RpcError, RpcRefused
from console.adapters.rpc.rules import Rule, Way
from console.adapters.rpc.sources import RpcSources
from console.adapters.rpc.web3_provider import SourcesProvider
from console.application.errors import ChainUnavailable, SourcesDisagree

AWAY = ChainUnavailable("away")
NO = RpcRefused(RpcError(-32000, "no"))


class Head(msgspec.Struct, frozen=True, rename="camel"):
    """The one member that is looked at."""

    base_fee: str


class Rpc:
    """Tells one thing, decoded as it was asked for."""

    def __init__(self, told: object) -> None:
        self.told, self.asked = told, []

    async def call(self, method: str, params: list[object], kind: type) -> object:
        self.asked.append((method, params))
        if isinstance(self.told, Exception):
            raise self.told
        return msgspec.convert(self.told, kind)


def provider(way: Way, *told: object, kind: object = str) -> tuple[SourcesProvider, list[Rpc]]:
    rpcs = [Rpc(each) for each in told]
    made = iter(rpcs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources_module, "JsonRpc", lambda *_: next(made))
        sources = RpcSources("the node", tuple("http://127.0.0.1:1" for _ in told))
    return SourcesProvider(sources, {"ask": Rule(way, kind)}), rpcs


@pytest.mark.parametrize(
    ("way", "told", "counts"),
    [
        (Way.AGREED, ("0x5", "0x5"), "0x5"),
        (Way.LOWEST, ("0x10", "0x9"), "0x9"),
        (Way.HIGHEST, ("0x9", "0x10"), "0x10"),
        (Way.FIRST, ("0x9", "0x10"), "0x9"),
        (Way.ANY, (AWAY, "0x9"), "0x9"),
        (Way.HANDED_OVER, (AWAY, NO, "0x9"), "0x9"),
    ],
)
async def test_each_way_counts_what_it_says(
    way: Way, told: tuple[object, ...], counts: str
) -> None:
    made, rpcs = provider(way, *told)
    response = await made.make_request("ask", ("latest", False))
    assert response == {"jsonrpc": "2.0", "id": 1, "result": counts}
    assert [rpc.asked for rpc in rpcs] == [[("ask", ["latest", False])]] * len(rpcs)


@pytest.mark.parametrize("way", [Way.AGREED, Way.LOWEST, Way.HIGHEST, Way.FIRST])
async def test_what_is_decided_on_needs_every_node(way: Way) -> None:
    for told, raised in (((AWAY, "0x5"), ChainUnavailable), ((NO, NO), RpcRefused)):
        with pytest.raises(raised):
            await provider(way, *told)[0].make_request("ask", ())


async def test_a_fact_that_differs_is_none() -> None:
    with pytest.raises(SourcesDisagree):
        await provider(Way.AGREED, "0x5", "0x6")[0].make_request("ask", ())


async def test_web3_sees_only_the_members_of_the_shape() -> None:
    made, _ = provider(Way.AGREED, {"baseFee": "0x5", "miner": 7}, kind=Head | None)
    assert (await made.make_request("ask", ()))["result"] == {"baseFee": "0x5"}
    made, _ = provider(Way.AGREED, None, kind=Head | None)
    assert (await made.make_request("ask", ()))["result"] is None


async def test_a_method_without_a_rule_is_not_asked() -> None:
    made, (rpc,) = provider(Way.AGREED, "0x5")
    with pytest.raises(ChainUnavailable, match="eth_accounts is not among"):
        await made.make_request("eth_accounts", ())
    assert rpc.asked == []


async def test_there_are_no_batches_and_no_guesses_about_the_connection() -> None:
    made, (rpc,) = provider(Way.AGREED, "0x5")
    with pytest.raises(NotImplementedError):
        await made.make_batch_request([("ask", ())])
    with pytest.raises(NotImplementedError):
        await made.is_connected()
    assert rpc.asked == []

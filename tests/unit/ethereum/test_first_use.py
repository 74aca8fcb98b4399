"""web3 is imported when the chain is first used, once, in a thread, without its side effect."""

import subprocess
import sys

from tests.architecture.sources import ROOT

START = """
import sys
from console import bootstrap
from console.application.ports.chain import ChainSettings
from console.domain.values import Chain, Network

adapter = bootstrap.CHAINS[Chain.ETHEREUM].from_settings(ChainSettings(network=Network.DEVNET, urls=("http://127.0.0.1:1",)))
heavy = {"web3", "ens", "eth_account", "eth_keyfile", "websockets", "requests"}
print(sorted(heavy & set(sys.modules)))
"""

FIRST_USE = """
import asyncio
import gc
import sys
import threading

from console.adapters.chains.ethereum.node import WEB3_CLIENT, EthereumNode
from console.adapters.rpc.strict_json import MalformedJson, strict_json
from console.application.errors import ChainUnavailable
from console.domain.values import Network

importers = []


class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "web3":
            importers.append(threading.current_thread() is threading.main_thread())


async def turns():
    count = 0
    while not hasattr(sys.modules.get(WEB3_CLIENT), "Web3Client"):
        await asyncio.sleep(0)
        count += 1
    return count


async def main():
    nodes = [EthereumNode(Network.DEVNET, ("http://127.0.0.1:1",)) for _ in range(2)]
    uses = [node.chain_id() for node in nodes for _ in range(2)]
    turned, *told = await asyncio.gather(turns(), *uses, return_exceptions=True)
    clients = [each for each in gc.get_objects() if type(each).__name__ == "Web3Client"]
    assert len(clients) == len(nodes), clients
    for node in nodes:
        await node.close()
    return turned, told


sys.meta_path.insert(0, Watch())
turned, told = asyncio.run(main())
assert turned > 10, turned
assert [type(each) for each in told] == [ChainUnavailable] * 4, told
assert importers == [False], importers
assert "py_ecc.bls" in sys.modules
assert sys.getrecursionlimit() == 1_000, sys.getrecursionlimit()
try:
    strict_json(b"[" * 100_000, object)
except MalformedJson:
    print("refused")
"""


def run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_node_starts_without_web3() -> None:
    assert run(START) == "[]"


def test_first_uses_at_once_import_web3_once_in_a_thread_and_keep_the_recursion_limit() -> None:
    assert run(FIRST_USE) == "refused"

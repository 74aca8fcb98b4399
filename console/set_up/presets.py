"""Presets: the networks that can be chosen for each chain.

URLs are suggested for the local chains only: whose node is asked learns the wallet's addresses, so
that choice is the operator's.
"""

from console.bootstrap import CHAINS
from console.client.set_up.messages import ChainPreset, Presets
from console.domain.values import Network
from console.local_chains import USUAL_PORT, local_chains_installed


def presets() -> Presets:
    """Return all networks that this installation knows, main networks first."""
    local = local_chains_installed()
    return Presets(
        presets=tuple(
            ChainPreset(
                chain=chain.value,
                chain_name=chain.value.capitalize(),
                network=network.value,
                network_name=adapter.networks[network],
                urls=(f"http://127.0.0.1:{USUAL_PORT}/{chain.value}",)
                if network is Network.DEVNET
                else (),
                hint="The chain of `quorate devnet` on this machine."
                if network is Network.DEVNET
                else adapter.node_hint,
                is_main=network is Network.MAINNET,
                websocket=getattr(adapter, "follows_websocket", False),
            )
            for chain, adapter in CHAINS.items()
            for network in (Network.MAINNET, Network.TESTNET, Network.DEVNET)
            if network in adapter.networks and (local or network is not Network.DEVNET)
        )
    )

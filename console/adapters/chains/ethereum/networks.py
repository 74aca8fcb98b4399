"""Which chain ids belong to which network, and which one bytes are bound to."""

from console.adapters.chains.ethereum import signable
from console.application.errors import UnknownTransaction
from console.domain.values import Network

CHAIN_IDS = {
    Network.MAINNET: frozenset({1}),
    Network.TESTNET: frozenset({11_155_111, 17_000, 560_048}),
}
"""EIP-155 ids of Ethereum, and of Sepolia, Holesky and Hoodi; any other id is a devnet."""


def is_of_network(chain_id: int, network: Network) -> bool:
    """Return whether an EIP-155 chain id belongs to a network."""
    expected = CHAIN_IDS.get(network)
    if expected is not None:
        return chain_id in expected
    return all(chain_id not in public for public in CHAIN_IDS.values())


def bound_to(transaction: bytes, network: Network) -> int:
    """Return the chain id in the bytes, 0 if they name none.

    Raises: UnknownTransaction if it is of another network, or the bytes cannot be read.
    """
    chain_id = signable.named_chain(transaction)
    if chain_id is not None and not is_of_network(chain_id, network):
        raise UnknownTransaction(f"chain id {chain_id} is not on {network.value}")
    return chain_id or 0

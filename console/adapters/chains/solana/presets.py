"""What an operator is told of Solana's clusters and nodes when a member is set up."""

from console.domain.values import Network

NETWORKS = {
    Network.MAINNET: "Mainnet Beta",
    Network.TESTNET: "Testnet",
    Network.DEVNET: "Devnet, or a cluster on this machine",
}
NODE_HINT = (
    "The address of a node's JSON-RPC, best your own. A websocket, where it has one, makes "
    "confirmations arrive sooner."
)

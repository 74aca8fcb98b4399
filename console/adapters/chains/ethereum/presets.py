"""What an operator is told of Ethereum's networks and nodes when a member is set up."""

from console.domain.values import Network

NETWORKS = {
    Network.MAINNET: "Main network",
    Network.TESTNET: "Test networks: Sepolia, Holesky or Hoodi",
    Network.DEVNET: "A development network with another chain id",
}
NODE_HINT = "The address of a node's JSON-RPC, best your own. With several, all must agree."

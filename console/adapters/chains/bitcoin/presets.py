"""What an operator is told of Bitcoin's networks and nodes when a member is set up."""

from console.domain.values import Network

NETWORKS = {
    Network.MAINNET: "Main network",
    Network.TESTNET: "Test networks: testnet3, testnet4 or signet",
    Network.DEVNET: "Regtest on this machine",
}
NODE_HINT = (
    "The address of an Esplora, best your own; or core+http:// and a Bitcoin Core from version 28 "
    "on with txindex=1."
)

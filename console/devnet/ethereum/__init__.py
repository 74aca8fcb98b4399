"""An Ethereum node: py-evm behind JSON-RPC, with a mempool and an ERC-20 token."""

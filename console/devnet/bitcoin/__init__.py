"""A Bitcoin node: Core's own validation, with a mempool, Esplora's paths and a faucet."""

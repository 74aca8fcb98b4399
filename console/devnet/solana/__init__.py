"""A Solana node: LiteSVM behind JSON-RPC and websocket, with tokens and a faucet."""

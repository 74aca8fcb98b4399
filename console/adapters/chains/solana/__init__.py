"""Solana: transfers described from their bytes, against a JSON-RPC node."""

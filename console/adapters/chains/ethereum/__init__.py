"""Ethereum: transactions and messages from their bytes, and what its nodes are asked."""

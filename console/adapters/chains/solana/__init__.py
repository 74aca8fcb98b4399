"""Solana: transactions from their bytes, and what its nodes are asked."""

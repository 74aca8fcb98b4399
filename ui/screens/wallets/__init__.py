"""Balances, addresses and history."""

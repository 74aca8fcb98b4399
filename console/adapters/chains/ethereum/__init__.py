"""Ethereum: transactions and messages, built and described from their bytes; no network here."""

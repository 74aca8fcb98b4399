"""The limits that this codec keeps to: of amounts, and of the sizes of what is read."""

MAX_MONEY = 21_000_000 * 10**8
"""More satoshis than there will ever be; nodes refuse any amount beyond."""
MAX_TRANSACTION_BYTES = 400_000
"""Nodes relay a weight of at most this (Bitcoin Core, MAX_STANDARD_TX_WEIGHT), so no more bytes."""
MAX_PSBT_BYTES = 48 * 1024
MAX_INPUTS = 100
MAX_OUTPUTS = 100
"""Of a PSBT."""

"""The limits of this codec: of amounts, and of the sizes of transactions and PSBTs."""

MAX_MONEY = 21_000_000 * 10**8
"""Satoshis; nodes refuse any amount above (Bitcoin Core, MAX_MONEY)."""
MAX_TRANSACTION_BYTES = 400_000
"""Nodes relay a weight of at most this (Bitcoin Core, MAX_STANDARD_TX_WEIGHT), so no more bytes."""
MAX_PSBT_BYTES = 48 * 1024
MAX_INPUTS = 100
MAX_OUTPUTS = 100
"""Inputs and outputs of a PSBT."""

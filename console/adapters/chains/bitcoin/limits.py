"""The limits of this codec: of amounts, and of the sizes of transactions and PSBTs."""

MAX_MONEY = 21_000_000 * 10**8
"""Satoshis; nodes refuse any amount above (Bitcoin Core, MAX_MONEY)."""
MAX_TRANSACTION_BYTES = 400_000
"""Nodes relay a weight of at most this (Bitcoin Core, MAX_STANDARD_TX_WEIGHT), so no more bytes."""
MAX_PSBT_BYTES = 240 * 1024
"""Bytes of a PSBT that is signed here: a request of this size travels in one statement. Two of the
largest standard transactions (100 kvB, so at most 100,000 bytes without witnesses) fit as proofs.
"""
MAX_IMPORT_BYTES = 768 * 1024
"""Bytes of another program's PSBT: its previous transactions may come with their witnesses."""
MAX_INPUTS = 100
MAX_OUTPUTS = 100
"""Inputs and outputs of a PSBT."""
MAX_UNSIGNED_FIELDS = 64
MAX_UNSIGNED_BYTES = 4 * 1024
"""Fields for other programs in all maps of a PSBT that is signed here. They are shown with a hash
whenever it is described; imports drop them.
"""
MAX_ORIGINS = 16
"""Fields of keys' origins in one map; more count as fields for other programs."""
MAX_FIELDS = 1 + MAX_UNSIGNED_FIELDS + (3 + MAX_ORIGINS) * MAX_INPUTS + MAX_ORIGINS * MAX_OUTPUTS
"""Fields of a PSBT that is signed here, in all maps: three prove what an input spends."""

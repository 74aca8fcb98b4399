"""The programs and system variables that messages name, by their fixed addresses."""

from typing import Final

from solders.pubkey import Pubkey

SYSTEM: Final = Pubkey.from_string("11111111111111111111111111111111")
TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED_TOKEN: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
STAKE: Final = Pubkey.from_string("Stake11111111111111111111111111111111111111")
COMPUTE_BUDGET: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
MEMO: Final = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
MEMO_V1: Final = Pubkey.from_string("Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo")

RECENT_BLOCKHASHES: Final = Pubkey.from_string("SysvarRecentB1ockHashes11111111111111111111")
RENT: Final = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
STAKE_HISTORY: Final = Pubkey.from_string("SysvarStakeHistory1111111111111111111111111")
STAKE_CONFIG: Final = Pubkey.from_string("StakeConfig11111111111111111111111111111111")

TOKEN_PROGRAMS: Final = frozenset({TOKEN, TOKEN_2022})
MEMO_PROGRAMS: Final = frozenset({MEMO, MEMO_V1})
NAMES: Final = {
    SYSTEM: "System",
    TOKEN: "Token",
    TOKEN_2022: "Token-2022",
    ASSOCIATED_TOKEN: "Associated Token",
    STAKE: "Stake",
    COMPUTE_BUDGET: "Compute Budget",
    MEMO: "Memo",
    MEMO_V1: "Memo (version 1)",
}
KEYLESS: Final = frozenset({*NAMES, RECENT_BLOCKHASHES, RENT, CLOCK, STAKE_HISTORY, STAKE_CONFIG})
"""Accounts without a key, though some of their addresses are points of the curve."""

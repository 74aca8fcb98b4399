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

ED25519: Final = Pubkey.from_string("Ed25519SigVerify111111111111111111111111111")
SECP256K1: Final = Pubkey.from_string("KeccakSecp256k11111111111111111111111111111")
SECP256R1: Final = Pubkey.from_string("Secp256r1SigVerify1111111111111111111111111")
LOADERS: Final = frozenset(
    map(
        Pubkey.from_string,
        (
            "BPFLoader1111111111111111111111111111111111",
            "BPFLoader2111111111111111111111111111111111",
            "BPFLoaderUpgradeab1e11111111111111111111111",
            "LoaderV411111111111111111111111111111111111",
        ),
    )
)
WRAPPED: Final = {
    TOKEN: Pubkey.from_string("So11111111111111111111111111111111111111112"),
    TOKEN_2022: Pubkey.from_string("9pan9bMn5HatX4EJdBwg9VgCa7Uz5HL8N1m5D3NdXej9"),
}
"""The mint of wrapped coins of each token program."""

RECENT_BLOCKHASHES: Final = Pubkey.from_string("SysvarRecentB1ockHashes11111111111111111111")
RENT: Final = Pubkey.from_string("SysvarRent111111111111111111111111111111111")
CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
STAKE_HISTORY: Final = Pubkey.from_string("SysvarStakeHistory1111111111111111111111111")
STAKE_CONFIG: Final = Pubkey.from_string("StakeConfig11111111111111111111111111111111")

TOKEN_PROGRAMS: Final = frozenset({TOKEN, TOKEN_2022})
MEMO_PROGRAMS: Final = frozenset({MEMO, MEMO_V1})
PRECOMPILES: Final = frozenset({ED25519, SECP256K1, SECP256R1})
"""They check the signatures that an instruction carries; the first byte of its data is how many."""
BUILTINS: Final = frozenset({SYSTEM, COMPUTE_BUDGET, ED25519, SECP256K1, *LOADERS})
"""Programs that reserve few compute units (SIMD-170).

Vote, Stake and others are, or may be, code on the chain by now, and reserve as many as any other.
"""
NAMES: Final = {
    SYSTEM: "System",
    TOKEN: "Token",
    TOKEN_2022: "Token-2022",
    ASSOCIATED_TOKEN: "Associated Token",
    STAKE: "Stake",
    COMPUTE_BUDGET: "Compute Budget",
    MEMO: "Memo",
    MEMO_V1: "Memo (version 1)",
    ED25519: "Ed25519 signatures",
    SECP256K1: "Secp256k1 signatures",
    SECP256R1: "Secp256r1 signatures",
}
KEYLESS: Final = frozenset(
    {
        *NAMES,
        *LOADERS,
        *WRAPPED.values(),
        RECENT_BLOCKHASHES,
        RENT,
        CLOCK,
        STAKE_HISTORY,
        STAKE_CONFIG,
    }
)
"""Accounts without a key, though some of their addresses are points of the curve."""

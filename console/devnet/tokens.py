"""The tokens of a devnet from its start, at addresses that are always the same."""

from console.devnet.solana.node import SolanaDevnet

ETHEREUM_DOLLAR = "0x153b84F377C6C7a7D93Bd9a717E48097Ca6Cfd11"
"""An ERC-20 with 6 decimals; the Ethereum devnet deploys it as its first transaction."""
SOLANA_DOLLAR = "f2DkjjKj14bVGQbYoDkn45noJHSWnVnyyQ1DEVun2F7"
"""An SPL mint with 6 decimals."""


def make_tokens(solana: SolanaDevnet) -> None:
    """Create the SPL mint, whose key follows from its name."""
    solana.answer("devnet_createMint", ["SUSD", 6])

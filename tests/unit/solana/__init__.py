"""The Solana codec, without a chain."""

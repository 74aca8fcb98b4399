"""The Ethereum codec, without a chain."""

"""Solana: a codec of messages, and the questions to its nodes."""

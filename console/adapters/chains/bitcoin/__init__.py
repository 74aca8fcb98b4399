"""Bitcoin: a codec of PSBTs and messages, and clients of Esplora and Bitcoin Core."""

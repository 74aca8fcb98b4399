"""Bitcoin's clients, against the devnet and against nodes that lie."""

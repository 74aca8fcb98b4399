"""Bitcoin: PSBTs and messages from their bytes, and what Esplora or Core is asked."""

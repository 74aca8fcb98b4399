"""Read and verify the ledger."""

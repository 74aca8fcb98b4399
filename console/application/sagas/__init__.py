"""Long-running work: each saga reacts to recorded facts, retries within bounds and compensates."""

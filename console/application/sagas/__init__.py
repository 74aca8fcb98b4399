"""Long-running work: each saga reacts to recorded events, retries within bounds and compensates."""

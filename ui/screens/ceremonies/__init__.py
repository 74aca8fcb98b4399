"""Plan and run key ceremonies."""

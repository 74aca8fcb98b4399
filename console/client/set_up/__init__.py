"""Setting a member up: what the window asks of the process that does it, and is told."""

"""This member's shares: sealed, opened for one use, destroyed."""

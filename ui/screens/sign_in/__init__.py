"""Sign in with a member's token."""

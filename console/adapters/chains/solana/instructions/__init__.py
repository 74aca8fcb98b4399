"""Instructions of the programs that are understood, decoded from a message's bytes."""

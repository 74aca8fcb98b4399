"""The read side: views folded from verified facts, each a plain function of what is on record."""

"""What needs the operator now."""

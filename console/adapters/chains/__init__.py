"""One folder a chain; none imports another."""

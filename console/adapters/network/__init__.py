"""Links between members: gRPC with mutual TLS, pinned."""

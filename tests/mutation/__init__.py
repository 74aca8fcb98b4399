"""Mutation testing of the protocols: every check that is removed must turn a test red."""

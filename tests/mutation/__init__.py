"""Mutation testing: every check that is removed must turn a test red."""

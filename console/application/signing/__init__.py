"""Signing: requests, the transactions in them, signatures, and drills that prove shares."""

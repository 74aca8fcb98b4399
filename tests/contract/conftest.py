"""What the contract suites share."""

from tests.softhsm import softhsm

__all__ = ["softhsm"]

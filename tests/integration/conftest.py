"""What the integration tests share."""

from tests.softhsm import softhsm

__all__ = ["softhsm"]

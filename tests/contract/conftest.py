"""What the contract suites share."""

from tests.shim import shim
from tests.softhsm import softhsm

__all__ = ["shim", "softhsm"]

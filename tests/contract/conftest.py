"""What the contract suites share."""

from tests.kms import kms
from tests.shim import shim
from tests.softhsm import softhsm

__all__ = ["kms", "shim", "softhsm"]

"""How a token seals 32 bytes: one file for each kind of method, and a table of them."""

from hsm.wrapping_methods.gcm import GCM_METHODS, GcmKey
from hsm.wrapping_methods.method import KEY_SIZE, SealingKey
from hsm.wrapping_methods.objects import KEK, MAC, require_traits
from hsm.wrapping_methods.table import METHODS, method_of

__all__ = [
    "GCM_METHODS",
    "KEK",
    "KEY_SIZE",
    "MAC",
    "METHODS",
    "GcmKey",
    "SealingKey",
    "method_of",
    "require_traits",
]

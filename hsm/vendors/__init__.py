"""Differences between makers of tokens, as data: one file and one table line per maker."""

from hsm.vendors.table import vendor_of
from hsm.vendors.vendor import Vendor

__all__ = ["Vendor", "vendor_of"]

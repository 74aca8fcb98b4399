"""Vendor: the traits of one maker's tokens that matter here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vendor:
    """`manufacturer` is a prefix of the maker's name as the token reports it.

    `backing` says what protects the keys, for the operator. Keys of a main network are only in
    tokens that are `for_production`.
    """

    manufacturer: str
    backing: str
    for_production: bool

"""Ownership: derived from the wallet's keys, never taken from a PSBT's claim."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from console.adapters.chains.bitcoin.accounts import (
    ACCOUNTS,
    CHANGE,
    MAX_INDEX,
    RECEIVE,
    SEGWIT,
    TAPROOT,
    KeyPosition,
    base_path,
    fingerprints,
    input_origin,
    output_origin,
    script_at,
)
from console.adapters.chains.bitcoin.psbt_fields import In, Out
from console.adapters.chains.bitcoin.psbt_map import Fields, entries_of, only, split_key
from console.adapters.chains.bitcoin.script import ScriptKind, kind_of
from console.adapters.chains.bitcoin.wire import Reader
from console.application.ports.chain import Account, PublicKeys
from console.domain.errors import NotYetPossible

INPUT_ORIGIN = (In.BIP32_DERIVATION, In.TAP_INTERNAL_KEY, In.TAP_BIP32_DERIVATION)
OUTPUT_ORIGIN = (Out.BIP32_DERIVATION, Out.TAP_INTERNAL_KEY, Out.TAP_BIP32_DERIVATION)

_MOST_ENTRIES = 2
Origin = Callable[[Account, PublicKeys, KeyPosition], Fields]
"""Returns the fields that name a place."""


@dataclass(frozen=True, slots=True)
class Own:
    """A place of the wallet: one of its accounts, and the key's place in it."""

    account: Account
    place: KeyPosition

    @property
    def path(self) -> str:
        """The path of its key, before any Taproot tweak."""
        return base_path(self.account, self.place)

    @property
    def is_change(self) -> bool:
        """Whether it is a place for change."""
        return self.place.chain == CHANGE


def claimed_account(inputs: tuple[Fields, ...]) -> Account:
    """Return the account that the first input's fields name; the SegWit one if they name none."""
    return _named_account(inputs[0]) if inputs else SEGWIT


def own_input(fields: Fields, script: bytes, keys: PublicKeys) -> Own | None:
    """Return the place that an input spends from, of any account; None if it is of others."""
    return _own(only(fields, *INPUT_ORIGIN), script, keys, input_origin)


def own_output(fields: Fields, script: bytes, keys: PublicKeys) -> Own | None:
    """Return the place that an output pays to; None if it is not the wallet's or not claimed."""
    return _own(only(fields, *OUTPUT_ORIGIN), script, keys, output_origin)


def restated_input(fields: Fields, script: bytes, keys: PublicKeys) -> Fields:
    """Return an input's origins: exactly this wallet's own, if one of them leads to the script."""
    return _restated(only(fields, *INPUT_ORIGIN), script, keys, input_origin)


def restated_output(fields: Fields, script: bytes, keys: PublicKeys) -> Fields:
    """Return an output's origins: exactly this wallet's own, or a false claim, or none.

    Other programs add origins of other wallets' keys, which claim nothing for this one.
    """
    claim = only(fields, *OUTPUT_ORIGIN)
    restated = _restated(claim, script, keys, output_origin)
    marks = {mark for mark, _ in _origins(claim)}
    return () if marks.isdisjoint(fingerprints(keys)) else restated


def is_claimed(fields: Fields) -> bool:
    """Return whether the fields claim an output, rightly or not."""
    return bool(only(fields, *OUTPUT_ORIGIN))


def place_of_script(
    script: bytes, keys: PublicKeys, places: int
) -> tuple[Account, KeyPosition] | None:
    """Return the account and place of a script among the first receiving places."""
    for account in ACCOUNTS:
        for index in range(places):
            try:
                if script_at(account, keys, KeyPosition(RECEIVE, index)) == script:
                    return account, KeyPosition(RECEIVE, index)
            except NotYetPossible:
                break
    return None


def _named_account(claim: Fields) -> Account:
    return TAPROOT if entries_of(claim, In.TAP_BIP32_DERIVATION) else SEGWIT


def _own(claim: Fields, script: bytes, keys: PublicKeys, origin: Origin) -> Own | None:
    """Return the claimed place if everything derived from its chain and index is the same."""
    # An honest claim has one entry, or two for Taproot; more would only cost time.
    if len(claim) > _MOST_ENTRIES:
        return None
    account = TAPROOT if kind_of(script) is ScriptKind.P2TR else SEGWIT
    for _, value in claim:
        own = Own(account, _place(value))
        if own.place.chain > CHANGE or own.place.index > MAX_INDEX:
            continue
        try:
            if set(origin(account, keys, own.place)) == set(claim):
                return own if script_at(account, keys, own.place) == script else None
        except NotYetPossible:
            return None
    return None


def _restated(claim: Fields, script: bytes, keys: PublicKeys, origin: Origin) -> Fields:
    """Return the fields of the own place that leads to the script, else the claim as it is."""
    account = TAPROOT if kind_of(script) is ScriptKind.P2TR else SEGWIT
    own = fingerprints(keys)
    places = (place for mark, place in _origins(claim) if mark in own)
    for place in islice(places, _MOST_ENTRIES):
        if place.chain > CHANGE or place.index > MAX_INDEX:
            continue
        with contextlib.suppress(NotYetPossible):
            if script_at(account, keys, place) == script:
                return origin(account, keys, place)
    return claim


def _origins(claim: Fields) -> Iterator[tuple[bytes, KeyPosition]]:
    """Yield the fingerprint and the place of every origin that the parser has checked."""
    for key, value in claim:
        kind, _ = split_key(key)
        if kind in {In.TAP_INTERNAL_KEY, Out.TAP_INTERNAL_KEY} and len(value) == 32:
            continue
        reader = Reader(value, "origin of a key")
        if kind in {In.TAP_BIP32_DERIVATION, Out.TAP_BIP32_DERIVATION}:
            reader.take(32 * reader.compact())
        yield reader.take(4), _place(value)


def _place(value: bytes) -> KeyPosition:
    """Return the last two steps of an origin's path."""
    path = value[-8:]
    return KeyPosition(int.from_bytes(path[:4], "little"), int.from_bytes(path[4:], "little"))

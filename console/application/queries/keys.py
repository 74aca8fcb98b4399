"""Kinds of keys as people read them: by what they are for, and shortly how they sign."""

from collections.abc import Iterable, Mapping

from console.application.views import KeyKindView
from console.domain.values import SignatureKind


def key_names(
    kinds: Iterable[SignatureKind], uses: Mapping[SignatureKind, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return a name for each kind, the uses before its label: "One, Another (ECDSA)"."""
    return tuple(
        f"{', '.join(uses[kind])} ({kind.label})" if uses.get(kind) else kind.label
        for kind in kinds
    )


def key_kinds(
    kinds: Iterable[SignatureKind], uses: Mapping[SignatureKind, tuple[str, ...]]
) -> tuple[KeyKindView, ...]:
    """Return the kinds of keys that a ceremony can make."""
    made = tuple(kinds)
    pairs = zip(made, key_names(made, uses), strict=True)
    return tuple(KeyKindView(kind.value, name) for kind, name in pairs)

"""The options that only some chains know: whatever an adapter does not know, it refuses."""

from collections.abc import Mapping

from console.application.errors import OptionNotKnown


def require_known(options: Mapping[str, tuple[str, ...]], *known: str) -> None:
    """Raise OptionNotKnown if an option is set that is none of these."""
    for name in options:
        if name not in known:
            raise OptionNotKnown(f"there is no option {name!r}", name)

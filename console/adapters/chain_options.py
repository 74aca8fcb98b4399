"""Options that only some chains have: an adapter refuses every other one."""

from collections.abc import Mapping

from console.application.errors import OptionNotKnown


def require_known(options: Mapping[str, tuple[str, ...]], *known: str) -> None:
    """Check that no other option is set than these. Raises: OptionNotKnown."""
    for name in options:
        if name not in known:
            raise OptionNotKnown(f"there is no option {name!r}", name)

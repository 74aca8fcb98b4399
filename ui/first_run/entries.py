"""The members of an invitation: whose entries are here, and what is wrong with a list of them."""

from collections.abc import Iterable

from console.client.set_up.messages import MAX_ENTRIES, EntrySeen
from ui import wording

LEAST = 3
TOO_FEW = (
    "A vault needs at least 3 members: with 2, the loss of one machine would end it, and no "
    "majority could replace it."
)


def added(
    known: tuple[EntrySeen, ...],
    fresh: Iterable[EntrySeen],
    me: EntrySeen | None,
    *,
    creates: bool,
) -> tuple[tuple[EntrySeen, ...], str]:
    """Return the entries with the fresh ones, by member, and in words what was not taken.

    A member's newer entry replaces the earlier one: its operator may have begun anew. Who joins
    takes the founders as they are: one of them may be this member with the machine it lost.
    """
    found = {entry.member: entry for entry in known}
    own, over = 0, 0
    most = MAX_ENTRIES - 1 if creates else MAX_ENTRIES
    for entry in fresh:
        if creates and me is not None and entry.member == me.member:
            own += 1
        elif entry.member not in found and len(found) >= most:
            over += 1
        else:
            found[entry.member] = entry
    said = []
    if own and me is not None:
        said.append(f"The entry of {me.member} is this machine\u2019s own, or has its identifier.")
    if over:
        said.append(f"{wording.count(over, 'entry', 'entries')} left out: at most {MAX_ENTRIES}.")
    return tuple(found[member] for member in sorted(found)), " ".join(said)


def missing(others: int, *, creates: bool) -> str:
    """Return how many entries are missing, or ''."""
    if creates:
        short = LEAST - 1 - others
        return f"{wording.count(short, 'more entry', 'more entries')} needed." if short > 0 else ""
    return "" if others else "Add the founders\u2019 entries."

"""Problems as an operator reads them: what happened, is it safe, what next."""

from dataclasses import dataclass

from console.application.api import CommandRefused, NodeUnreachable
from console.client import NodeLook, ProcessState


@dataclass(frozen=True, slots=True)
class Problem:
    """What happened, whether keys and funds are safe, what to do, and a support code."""

    code: str
    what: str
    safe: str
    next_step: str

    def details(self, where: str, at: str) -> str:
        """Return the text that an operator may copy for support; it holds no secrets."""
        return (
            f"Quorate problem report\ncode: {self.code}\nscreen: {where}\ntime: {at}\n"
            f"what happened: {self.what}\nkeys and funds: {self.safe}\nnext step: {self.next_step}"
        )


UNREACHABLE = Problem(
    "node-unreachable",
    "The node on this machine does not answer.",
    "Keys and funds are safe. The node keeps its shares and its ledger.",
    "The window reconnects by itself. If this lasts, start the node again.",
)
_SAFE = UNREACHABLE.safe
_STARTS = Problem(
    "node-starts",
    "The node on this machine starts.",
    _SAFE,
    "The window connects by itself, within some seconds.",
)
_STOPPED = Problem(
    "node-stopped", "The node on this machine is stopped.", _SAFE, "Start it to go on."
)
_DIED = Problem(
    "node-died",
    "The node on this machine has ended without being told to.",
    _SAFE,
    "It is being started again.",
)
_DIES_AGAIN = Problem(
    "node-dies",
    "The node on this machine has ended several times in a few minutes.",
    _SAFE,
    "It is not started again by itself. Read node.log in the member's directory, then start it.",
)
NOT_LOCKED = (
    "It is not known whether the node was locked: it does not answer. This window stays closed "
    "until the PIN is entered."
)


def describe(error: CommandRefused | NodeUnreachable) -> Problem:
    """Return the problem that a screen shows for an error of the node."""
    if isinstance(error, CommandRefused):
        return Problem(error.code, error.what, error.safe, error.next_step)
    return UNREACHABLE


def of_node(look: NodeLook | None, *, gave_up: bool) -> Problem:
    """Return the problem that is shown while the node does not answer, from its process."""
    if look is None or look.state is ProcessState.RUNS:
        return UNREACHABLE
    if look.state is ProcessState.STARTS:
        return _STARTS
    if look.service:
        what = f"The service {look.service} on this machine is not running."
        then = f"Start it. If it ends again: journalctl --user -u {look.service}"
        return Problem("node-service", what, _SAFE, then)
    if look.state is ProcessState.DIED:
        return _DIES_AGAIN if gave_up else _DIED
    if look.state is ProcessState.REFUSES:
        why = f"The node on this machine does not start: {look.said or 'it said nothing'}"
        return Problem("node-refuses", why, _SAFE, "Correct what it says, then start it.")
    return _STOPPED

"""Problems as an operator reads them: what happened, is it safe, what next."""

from dataclasses import dataclass

from console.application.api import CommandRefused, NodeUnreachable


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
NOT_LOCKED = (
    "It is not known whether the node was locked: it does not answer. This window stays closed "
    "until the PIN is entered."
)


def describe(error: CommandRefused | NodeUnreachable) -> Problem:
    """Return the problem that a screen shows for an error of the node."""
    if isinstance(error, CommandRefused):
        return Problem(error.code, error.what, error.safe, error.next_step)
    return UNREACHABLE

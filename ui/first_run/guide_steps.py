"""The steps of the guide through a demonstration vault, and what of them the node's views show."""

from dataclasses import dataclass
from typing import NamedTuple

from console.application.views import (
    CeremonyStage,
    CeremonyView,
    NodeState,
    RequestRow,
    RequestStage,
    SessionView,
    WalletView,
)
from console.domain.values import CeremonyPurpose

_MADE = frozenset({CeremonyStage.COMPARING, CeremonyStage.COMPLETED})
_ENDED = frozenset(
    {RequestStage.DENIED, RequestStage.WITHDRAWN, RequestStage.EXPIRED, RequestStage.FAILED}
)
_ZERO = frozenset({"", "0"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What the first member's node shows; `ceremonies` are those that generate keys."""

    session: SessionView | None = None
    ceremonies: tuple[CeremonyView, ...] = ()
    wallets: tuple[WalletView, ...] = ()
    rows: tuple[RequestRow, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether the node is unlocked."""
        return self.session is not None and self.session.state is NodeState.READY

    @property
    def requests(self) -> tuple[RequestRow, ...]:
        """The requests that have not come to nothing."""
        return tuple(row for row in self.rows if row.stage not in _ENDED)


class GuideStep(NamedTuple):
    """One step: a sentence, and the button that brings one to its page."""

    title: str
    sentence: str
    action: str = ""
    done: bool = False
    screen: str = ""
    subject: str = ""


def steps(seen: Seen) -> tuple[GuideStep, ...]:
    """Return all steps with their ticks, which follow from the views alone."""
    return (*_keys(seen), *_payment(seen))


def _keys(seen: Seen) -> tuple[GuideStep, ...]:
    """Return the steps to a wallet."""
    made = [each for each in seen.ceremonies if each.stage in _MADE]
    completed = [each for each in made if each.stage is CeremonyStage.COMPLETED]
    ceremony = made[0].ceremony if made else ""
    return (
        GuideStep(
            "Sign in",
            "Enter the PIN of the token that was made for you, and unlock your node.",
            done=seen.ready,
        ),
        GuideStep(
            "Hold a key ceremony",
            "Name a wallet and propose it. Ben and Chiara are played by this machine: they accept "
            "by themselves, and the three of you generate a key that nobody holds whole.",
            "Go to Ceremonies",
            bool(made),
            "ceremonies",
            "" if seen.ceremonies else "new",
        ),
        GuideStep(
            "Compare the code",
            "Members read this code to each other, so that nobody is deceived. Tick it and "
            "confirm; this machine compares for Ben and Chiara.",
            "Go to the code",
            bool(completed),
            "ceremonies",
            ceremony,
        ),
    )


def _payment(seen: Seen) -> tuple[GuideStep, ...]:
    """Return the steps from an empty wallet to a confirmed payment."""
    wallet = seen.wallets[0].wallet if seen.wallets else ""
    request = seen.requests[0].request if seen.requests else ""
    where = "review" if request else "approvals"
    return (
        GuideStep(
            "Receive coins",
            "The wallet is funded by itself with test coins. Its addresses and balances are on its "
            "page.",
            "Go to the wallet",
            any(_holds(each) for each in seen.wallets),
            "wallets",
            wallet,
        ),
        GuideStep(
            "Pay",
            "An example is filled in; change it as you like. Preview what will be signed, then "
            "request it.",
            "Fill in a payment",
            bool(seen.requests),
            "new_transfer",
            wallet,
        ),
        GuideStep(
            "Approve",
            "Check the request and approve it where it waits for you. This machine checks and "
            "approves for Ben and Chiara.",
            "Go to the request",
            any(row.stage is not RequestStage.AWAITING_APPROVAL for row in seen.requests),
            where,
            request,
        ),
        GuideStep(
            "See it confirmed",
            "Two of three members sign together. The transaction is broadcast and confirmed by the "
            "chain.",
            "Go to the request",
            any(row.stage is RequestStage.CONFIRMED for row in seen.requests),
            where,
            request,
        ),
    )


def current(shown: tuple[GuideStep, ...]) -> int:
    """Return the place of the first step that is not done; the number of steps at the end."""
    return next((place for place, step in enumerate(shown) if not step.done), len(shown))


def generates(ceremony: CeremonyView) -> bool:
    """Return whether a ceremony makes a wallet's first keys."""
    return ceremony.purpose == CeremonyPurpose.GENERATE


def _holds(wallet: WalletView) -> bool:
    accounts = wallet.accounts
    return any(each.balance_base_units not in _ZERO for each in accounts) or any(
        token.balance_base_units not in _ZERO for each in accounts for token in each.tokens
    )

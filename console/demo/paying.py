"""How operators pay: a draft, its approvals, and the confirmation, all through the window."""

from dataclasses import dataclass

from console.application.api import GetRequest, GetWallets
from console.application.views import RequestStage, RequestView, WalletView
from console.demo.operators import Operators
from console.demo.window_driver import DemoFailure, WindowDriver
from ui import object_names as names
from ui.widgets.fields import CheckLine

_OVER = {
    RequestStage.FAILED,
    RequestStage.EXPIRED,
    RequestStage.DENIED,
    RequestStage.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Payment:
    """The typed fields: `account` is a chain, a colon and a path; `asset` a token's address."""

    name: str
    account: str
    to_address: str
    amount: str
    memo: str = ""
    asset: str = ""
    durable: bool = False


@dataclass(slots=True)
class Paying:
    """The actions of an operator with the only wallet."""

    people: Operators

    @property
    def hands(self) -> WindowDriver:
        return self.people.hands

    async def draft(self, payment: Payment) -> str:
        """Fill in the form, check the decoded fields, request approval; return the request."""
        hands = self.hands
        await self.open_account(payment.account)
        await hands.click(names.WALLET_NEW_TRANSFER)
        await hands.on_screen("new_transfer")
        await hands.until(lambda: hands.visible(names.TRANSFER_TO), "the form")
        if payment.asset:
            await hands.click(f"{names.TRANSFER_ASSET}.{payment.asset}")
        await hands.type(names.TRANSFER_TO, payment.to_address)
        await hands.type(names.TRANSFER_AMOUNT, payment.amount)
        if payment.memo:
            await hands.type(names.TRANSFER_MEMO, payment.memo)
        durable = hands.visible(names.TRANSFER_STAYS_VALID)
        if isinstance(durable, CheckLine) and durable.isChecked() is not payment.durable:
            await hands.click(names.TRANSFER_STAYS_VALID)
        await hands.picture(f"07-{payment.name}-form")
        await hands.click(names.TRANSFER_PREVIEW)
        return await self.ask(payment.name)

    async def ask(self, name: str) -> str:
        """Request approval of the form's draft; return the request."""
        hands = self.hands
        known = {item.request for item in (await self.wallet()).history}
        await hands.until(lambda: hands.visible(names.TRANSFER_REQUEST), "the decoded transaction")
        await hands.picture(f"07-{name}-decoded")
        await hands.click(names.TRANSFER_REQUEST)
        await hands.on_screen("review")
        await hands.settle()
        new = [i.request for i in (await self.wallet()).history if i.request not in known]
        if len(new) != 1:
            raise DemoFailure(f"one new request is expected, not {len(new)}")
        return new[0]

    async def approve(self, member: str, request: str, picture: str = "") -> None:
        """Approve a request as a member, after both checks and with the PIN."""
        hands = self.hands
        await self.people.visit(member)
        await hands.click(f"{names.NAV}.approvals")
        await hands.on_screen("approvals")
        if picture:
            await hands.picture(f"09-approvals-{picture}")
        hands.window.show_screen("review", request)
        await hands.on_screen("review")
        await hands.click(names.REVIEW_CHECK_1)
        await hands.click(names.REVIEW_CHECK_2)
        await hands.type(names.REVIEW_PIN, self.people.cluster.members[member].pin)
        if picture:
            await hands.picture(f"10-review-{picture}")
        # The button counts down 3 s before it can be pressed.
        await hands.click(names.REVIEW_APPROVE)
        await hands.until(
            lambda: not hands.visible(names.REVIEW_APPROVE) or not hands.window.link.reachable,
            "the approval on record",
        )

    async def confirmed(self, request: str) -> RequestView:
        """Wait until the chain has confirmed it. Raises: DemoFailure if it fails."""
        while (view := await self.request(request)).stage is not RequestStage.CONFIRMED:
            if view.stage in _OVER:
                raise DemoFailure(view.sentence)
            await self.hands.settle()
        return view

    async def show(self, request: str, picture: str) -> None:
        """Take a picture of a request's page."""
        self.hands.window.show_screen("review", request)
        await self.hands.on_screen("review")
        await self.hands.settle()
        await self.hands.picture(picture)

    async def open_account(self, account: str) -> None:
        """Show one of the wallet's accounts."""
        hands = self.hands
        await hands.click(f"{names.NAV}.wallets")
        await hands.on_screen("wallets")
        await hands.click(f"{names.WALLET_ACCOUNTS}.{account}")

    async def wallet(self) -> WalletView:
        """Return the wallet from the node in front."""
        wallets = (await self.hands.window.link.ask(GetWallets())).wallets
        await self.hands.settle()
        return wallets[0]

    async def request(self, request: str) -> RequestView:
        """Return a request from the node in front."""
        return await self.hands.window.link.ask(GetRequest(request))

"""Operators at the window: they sign in and do their tasks."""

import contextlib
from dataclasses import dataclass

from console.application.api import GetRecovery
from console.application.views import NodeState, RecoveryView, WalletSharesView
from console.demo.cluster import Cluster
from console.demo.window_driver import DemoFailure, WindowDriver
from ui import object_names as names

_CLICKS, _OPENS_S = 5, 5.0


@dataclass(slots=True)
class Operators:
    """The actions of the cluster's operators, by mouse and keys."""

    cluster: Cluster
    hands: WindowDriver

    async def sign_in(self, member: str) -> None:
        """Type a member's PIN."""
        hands = self.hands
        await hands.until(lambda: hands.visible(names.SIGN_IN_PIN), "the sign-in screen")
        if member == next(iter(self.cluster.members)) and not hands.taken:
            await hands.picture("01-sign-in")
        await hands.type(names.SIGN_IN_PIN, self.cluster.members[member].pin)
        await hands.click(names.SIGN_IN_UNLOCK)
        await hands.on_screen("overview")

    async def switch(self, member: str) -> None:
        """Show another member's node by its avatar, from the frame or the sign-in screen."""
        hands = self.hands
        if hands.window.member == member:
            return
        in_frame = f"{names.FRAME_MEMBER}.{member}"
        if hands.visible(in_frame):
            await hands.click(in_frame)
        else:
            await hands.click(f"{names.SIGN_IN_MEMBER}.{member}")
        await hands.until(lambda: hands.window.member == member, f"the window of {member}")

    async def visit(self, member: str) -> None:
        """Show a member's node, signing in where it is locked."""
        hands = self.hands
        await self.switch(member)
        session = await hands.until(lambda: hands.window.link.session, "an answer of the node")
        if session.state is NodeState.LOCKED:
            await self.sign_in(member)
        await hands.until(lambda: hands.visible(f"{names.NAV}.overview"), "the unlocked window")

    async def open_first_task(self) -> None:
        """Open this operator's first task; a click can be lost while the page reloads."""
        hands = self.hands
        await hands.click(f"{names.NAV}.overview")
        for _ in range(_CLICKS):
            await hands.click(names.OVERVIEW_OPEN_FIRST)
            with contextlib.suppress(DemoFailure):
                await hands.until(
                    lambda: hands.window.current_screen != "overview", "the first task", _OPENS_S
                )
                return
        raise DemoFailure("the first task does not open")

    async def accept_ceremony(self, member: str, picture: str = "") -> None:
        """Accept, as a member, the ceremony that waits."""
        hands = self.hands
        await self.visit(member)
        await self.open_first_task()
        if picture:
            await hands.picture(picture)
        await hands.click(names.CEREMONY_ACCEPT)
        await hands.until(
            lambda: not hands.visible(names.CEREMONY_ACCEPT), f"the acceptance of {member}"
        )

    async def confirm_code(self, member: str, picture: str = "") -> None:
        """Compare the code and certify."""
        hands = self.hands
        await self.visit(member)
        await self.open_first_task()
        await hands.click(names.CEREMONY_COMPARED)
        await hands.click(names.CEREMONY_CONFIRM_CODE)
        await hands.until(
            lambda: not hands.visible(names.CEREMONY_CONFIRM_CODE), "the certificate signature"
        )
        if picture:
            await hands.picture(picture)

    async def recovery(self) -> RecoveryView:
        """Return the shares and machines of the node in front."""
        return await self.hands.window.link.ask(GetRecovery())

    async def shares(self) -> WalletSharesView:
        """Return the shares of the only wallet, as the node in front sees them."""
        wallets = (await self.recovery()).wallets
        if len(wallets) != 1:
            raise DemoFailure(f"one wallet is expected, not {len(wallets)}")
        return wallets[0]

    def name(self, member: str) -> str:
        return self.cluster.members[member].profile.name

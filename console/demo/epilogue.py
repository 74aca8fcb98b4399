"""The last story of the demonstration: all ledgers verify, and all screens are shown."""

from dataclasses import dataclass

from console.application.api import GetLedger
from console.application.views import LedgerPage
from console.demo.operators import Operators
from console.demo.report import Report
from console.demo.window_driver import DemoFailure, WindowDriver
from ui import object_names as names


@dataclass(slots=True)
class Epilogue:
    """The steps of an auditor."""

    people: Operators
    report: Report

    @property
    def hands(self) -> WindowDriver:
        return self.people.hands

    async def run(self) -> None:
        """Run the story."""
        for member in self.people.cluster.members:
            async with self.report.step(
                f"{self.people.name(member)} verifies the ledger's hash chain"
            ):
                await self._verify_ledger(member)
        async with self.report.step("The other screens"):
            await self._tour(next(iter(self.people.cluster.members)))

    async def _verify_ledger(self, member: str) -> None:
        hands = self.hands
        await self.people.visit(member)
        await hands.click(f"{names.NAV}.audit")
        await hands.on_screen("audit")
        before = (await self._page()).verified_at_ms
        await hands.click(names.AUDIT_VERIFY)
        while (page := await self._page()).verified_at_ms == before:
            await hands.settle()
        if page.broken_because or page.verified_to < 1:
            raise DemoFailure(f"the ledger of {member} does not verify: {page.broken_because}")
        self.report.heads[member] = f"{page.head_sequence}:{page.head_hash}"
        await hands.picture(f"14-audit-{member}")

    async def _tour(self, member: str) -> None:
        await self.people.visit(member)
        for screen in ("overview", "approvals", "wallets", "ceremonies", "recovery", "settings"):
            await self.hands.click(f"{names.NAV}.{screen}")
            await self.hands.on_screen(screen)
            await self.hands.picture(f"15-{screen}")

    async def _page(self) -> LedgerPage:
        return await self.hands.window.link.ask(GetLedger(limit=1))

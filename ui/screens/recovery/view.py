"""Recovery: shares by wallet, the plan of a reshare, and machines."""

from collections.abc import Callable

from console.application.commands import Pin
from console.application.views import LinkView, MachineView, ShareView, WalletSharesView
from ui import object_names as names
from ui import status, wording
from ui.context import Context
from ui.screen import EmptyText, Screen
from ui.screens.recovery import plans
from ui.screens.recovery.actions import DRILL, REFRESH, REPAIR, RESHARE
from ui.screens.recovery.address_panel import AddressPanel
from ui.screens.recovery.confirm import ConfirmSheet
from ui.screens.recovery.decision_panel import DecisionPanel
from ui.screens.recovery.detail import SharesDetail
from ui.screens.recovery.entry_panel import EntryPanel
from ui.screens.recovery.form import ReshareForm
from ui.screens.recovery.founders_panel import FoundersPanel
from ui.screens.recovery.health import wallet_look
from ui.screens.recovery.machines import MachinesPage
from ui.screens.recovery.members import MembersPage
from ui.screens.recovery.side import INSET, SIDE, side_card
from ui.screens.recovery.view_model import MACHINES, MEMBERS, Page, RecoveryModel, reshare_of
from ui.widgets.buttons import Button
from ui.widgets.columns import beside
from ui.widgets.rows import RowItem, RowList
from ui.widgets.tabs import Tabs

_SHARES = "shares"


class RecoveryScreen(Screen):
    """Share health, and recovery from a lost machine or share."""

    NAME = "recovery"
    TITLE = "Recovery"
    HELP = (
        "A refresh generates new shares of the same keys; old ones cannot be combined with them.",
        "A drill proves that custodians can sign, without a transaction.",
        "A repair restores a lost share on a new machine. A reshare changes custodians.",
        "The old shares always stay valid until all have certified the new ones.",
        "Endorse a machine only after comparing its code by voice or in person.",
        "Ctrl+Enter moves to Endorse once it is armed, Space presses it. Enter never endorses.",
    )
    model: RecoveryModel

    def __init__(self, context: Context) -> None:
        super().__init__(context, RecoveryModel(context))

    def build(self) -> None:
        """Lay out the three pages and the panels."""
        self.tabs = Tabs(
            names.RECOVERY_TABS,
            ((_SHARES, "Shares"), (MACHINES, "Machines"), (MEMBERS, "Members")),
        )
        self.tabs.chosen.connect(self._choose_tab)
        self.marks.addWidget(self.tabs)
        self.add = Button("Replace or add a machine\u2026", icon="plus", name=names.MACHINES_ADD)
        self.founders = Button(
            "Founders\u2019 entries\u2026", icon="file", name=names.MACHINES_FOUNDERS
        )
        self.tools.addWidget(self.founders)
        self.tools.addWidget(self.add)
        self.decide = Button("Decide about members\u2026", icon="people", name=names.MEMBERS_DECIDE)
        self.tools.addWidget(self.decide)
        self.list = RowList(names.RECOVERY_WALLETS, inset=INSET)
        self.list.opened.connect(lambda key: self.context.navigate("recovery", key))
        side = side_card("All wallets", self.list)
        self.detail = SharesDetail()
        self.shares = beside(side, self.detail, SIDE)
        self.form = ReshareForm()
        self.machines = MachinesPage(self.context, self.model)
        self.members = MembersPage(self.context, self.model)
        for page in (self.shares, self.form, self.machines, self.members):
            self.content.addWidget(page)
        self.confirm_panel = ConfirmSheet(self.context.window)
        self.entry_panel = EntryPanel(self.context, self.model)
        directory = self.context.link.profile.directory
        self.founders_panel = FoundersPanel(self.context.window, directory)
        self.decision_panel = DecisionPanel(self.context, self.model)
        self.address_panel = AddressPanel(self.context.window, self.model)
        self._panels = (
            self.confirm_panel,
            self.entry_panel,
            self.founders_panel,
            self.decision_panel,
            self.address_panel,
        )
        self._confirmed: Callable[[str], None] | None = None
        self._asked = ""
        self._connect()

    def _connect(self) -> None:
        self.add.clicked.connect(self.entry_panel.ask)
        self.founders.clicked.connect(self.founders_panel.ask)
        self.founders_panel.copied.connect(self.context.copy)
        self.entry_panel.submitted.connect(self.model.propose_machine)
        self.decide.clicked.connect(self._ask_decision)
        self.decision_panel.submitted.connect(self.model.sign_chosen)
        self.members.signed.connect(self.model.sign_decision)
        self.confirm_panel.confirmed.connect(self._act)
        self.detail.asked.connect(self._ask)
        self.detail.ceremony_opened.connect(lambda key: self.context.navigate("ceremonies", key))
        self.form.planned.connect(self._ask_reshare)
        self.form.left.connect(self.back)
        self.machines.opened.connect(lambda key: self.context.navigate("recovery", key))
        self.machines.repair_wanted.connect(lambda key: self.context.navigate("recovery", key))
        self.machines.endorsed.connect(self._endorse)
        links = self.machines.links
        links.moving.connect(self.address_panel.ask)
        links.entering.connect(self.address_panel.ask)
        links.key_wanted.connect(
            lambda: self._confirm(lambda _: plans.link_key(), lambda _: self.model.change_key())
        )
        links.finish_wanted.connect(self._ask_finish)
        self.address_panel.submitted.connect(self._set_address)

    def open(self, subject: str) -> None:
        """Open with empty fields and no plan."""
        self._forget()
        if subject != self.model.subject:
            self.form.start()
        super().open(subject)

    def pause(self) -> None:
        """Clear ticks and PIN, and close the panels, when the page is left."""
        self._forget()
        super().pause()

    def close_screen(self) -> None:
        """Close the panels too."""
        self._forget()
        for panel in self._panels:
            panel.hide()
            panel.deleteLater()
        super().close_screen()

    def back(self) -> bool:
        """Go from a reshare to its wallet, and from an unknown subject to the list."""
        wallet = self.model.wallet
        if self.model.page is Page.RESHARE and wallet is not None:
            self.context.navigate("recovery", wallet.wallet)
            return True
        if self.model.subject:
            self.context.navigate("recovery", "")
            return True
        return False

    def focus_armed(self) -> bool:
        """Focus the armed button of the panel, else of the page."""
        armed = {
            self.entry_panel: self.entry_panel.endorse,
            self.decision_panel: self.decision_panel.sign,
            self.members: self.members.sign,
        }
        shown = next((armed[part] for part in armed if part.isVisible()), self.machines.endorse)
        button = shown.approve
        button.setFocus()
        return button.isEnabled()

    def focus_list(self) -> bool:
        """Focus the list of this page, so that J and K move in it."""
        for shown in (self.list, self.machines.list):
            if shown.isVisible() and shown.rows:
                shown.rows[0].setFocus()
                return True
        return False

    def render_head(self) -> None:
        """Name the page."""
        model, page = self.model, self.model.page
        wallet = model.wallet
        planning = page is Page.RESHARE and wallet is not None
        self.heading.setText(f"Reshare {wallet.name}" if planning and wallet else self.TITLE)
        self.back_button.setVisible(page is Page.RESHARE)
        self.tabs.setVisible(page is not Page.RESHARE)
        self.tabs.choose({Page.MACHINES: MACHINES, Page.MEMBERS: MEMBERS}.get(page, _SHARES))
        waiting = model.waiting
        self.tabs.set_title(MACHINES, f"Machines  {waiting}" if waiting else "Machines")
        machine = model.machine
        decides = machine is not None and machine.can_approve
        for button in (self.add, self.founders):
            button.setVisible(page is Page.MACHINES)
        self.add.set_kind("secondary" if decides else "primary")
        undecided = model.undecided
        self.tabs.set_title(MEMBERS, f"Members  {undecided}" if undecided else "Members")
        self.decide.setVisible(page is Page.MEMBERS)
        deciding = model.view is not None and model.view.roster.decides
        self.decide.setEnabled(deciding and not model.hindrance)
        self.decide.setToolTip("" if deciding else "Only those who decide can do this.")
        self.entry_panel.show_model()
        self.decision_panel.show_model()
        self.address_panel.show_model()

    def render_content(self) -> None:
        """Paint the page that the subject names."""
        model, now = self.model, self.context.now_ms()
        view, wallet = model.view, model.wallet
        for page, widget in (
            (Page.SHARES, self.shares),
            (Page.RESHARE, self.form),
            (Page.MACHINES, self.machines),
            (Page.MEMBERS, self.members),
        ):
            widget.setVisible(model.page is page)
        if view is None:
            return
        if model.page is Page.MACHINES:
            self.machines.show_model(now)
        if model.page is Page.MEMBERS:
            self.members.show_model(now)
        if wallet is not None:
            self._follow(wallet)
        if wallet is None or model.page in {Page.MACHINES, Page.MEMBERS}:
            return
        if model.page is Page.RESHARE:
            self.form.show_wallet(wallet, view.members, hindrance=model.hindrance)
        else:
            people = {member.member: member.name for member in view.members}
            self.list.set_items(
                [_row(item, now, chosen=item.wallet == wallet.wallet) for item in view.wallets]
            )
            self.detail.show_wallet(
                wallet,
                people | {share.member: share.name for share in wallet.shares},
                now,
                working=bool(model.hindrance),
                drilling=model.working and model.drilling,
            )

    def empty_text(self) -> EmptyText:
        """Return the text that says where shares come from."""
        return EmptyText(
            "lifebuoy",
            "No wallet yet",
            "Run a ceremony: it creates a wallet and its shares. This page keeps them healthy.",
            "New ceremony",
            lambda: self.context.navigate("ceremonies", "new"),
        )

    def _choose_tab(self, tab: str) -> None:
        self.context.navigate("recovery", tab if tab in {MACHINES, MEMBERS} else "")

    def _ask_decision(self) -> None:
        view = self.model.view
        if view is not None:
            self.decision_panel.ask(view.members)

    def _ask(self, action: str) -> None:
        wallet, model = self.model.wallet, self.model
        if wallet is None:
            return
        key = wallet.wallet
        self._asked = action
        if action == REFRESH:
            self._confirm(lambda _: plans.refresh(wallet), lambda _: model.propose_refresh(key))
        elif action == DRILL:
            self._confirm(lambda _: plans.drill(wallet), lambda _: model.run_drill(key))
        elif action == REPAIR:
            self._ask_repair(wallet)
        elif action == RESHARE:
            self.context.navigate("recovery", reshare_of(key))

    def _ask_repair(self, wallet: WalletSharesView) -> None:
        known = {share.member: _owner(share) for share in wallet.shares}
        self._confirmed = lambda member: self.model.propose_repair(wallet.wallet, member)
        self.confirm_panel.ask(
            lambda member: plans.repair(wallet, member),
            [(member, known.get(member, member)) for member in wallet.repairable],
        )

    def _ask_reshare(self) -> None:
        draft, self._asked = self.form.draft, RESHARE
        if draft is not None and not draft.problem:
            self._confirm(
                lambda _: plans.reshare(draft), lambda _: self.model.propose_reshare(draft)
            )

    def _confirm(
        self, plan: Callable[[str], plans.Confirmation], act: Callable[[str], None]
    ) -> None:
        self._confirmed = act
        self.confirm_panel.ask(plan)

    def _act(self, choice: str) -> None:
        act, self._confirmed = self._confirmed, None
        if act is not None:
            act(choice)

    def _follow(self, wallet: WalletSharesView) -> None:
        """Keep an open plan true: what has become impossible meanwhile says why."""
        offers = {
            REFRESH: wallet.refresh,
            DRILL: wallet.drill,
            REPAIR: wallet.repair,
            RESHARE: wallet.reshare,
        }
        offer = offers.get(self._asked)
        over = "" if offer is None or offer.possible else offer.because
        self.confirm_panel.follow(wording.sentence(over), self.model.hindrance)

    def _endorse(self, machine: MachineView, pin: Pin) -> None:
        self.model.approve_machine(machine, pin)

    def _ask_finish(self) -> None:
        links = self.model.view.links if self.model.view else ()
        untold = next((link.untold for link in links if link.is_me), ())
        self._confirm(lambda _: plans.link_key_now(untold), lambda _: self.model.finish_key())

    def _set_address(self, link: LinkView, address: str) -> None:
        self.model.set_address(link, address, self.address_panel.close_sheet)

    def _forget(self) -> None:
        self.machines.reset()
        self.members.reset()
        for panel in self._panels:
            panel.close_sheet()


def _owner(share: ShareView) -> str:
    word = status.SHARE[share.state].word.lower()
    return f"{share.name} \u00b7 {word}"


def _row(wallet: WalletSharesView, now: int, *, chosen: bool) -> RowItem:
    look = wallet_look(wallet, now)
    tint = f"{look.tone}_fg"
    return RowItem(wallet.wallet, look.icon, wallet.name, look.word, tone_icon=tint, chosen=chosen)

"""Preferences, which are kept at once, and what this program is."""

from console.application.api import ChangeKind
from console.application.views import SessionView
from ui.view_model import LoadState, ViewModel


class SettingsModel(ViewModel):
    """Needs nothing from the node but where it stands."""

    WATCHES = frozenset({ChangeKind.SESSION})

    async def load(self) -> LoadState:
        """Nothing to ask: the frame keeps the session up to date."""
        return LoadState.READY

    @property
    def session(self) -> SessionView | None:
        """The newest answer about the node."""
        return self.context.link.session

    def lock_after(self, seconds: int) -> None:
        """Keep another time until the window locks itself."""
        self.context.settings.lock_after_s = seconds
        self.context.settings.save()
        self.changed.emit()

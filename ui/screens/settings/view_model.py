"""Preferences, which are saved immediately, and facts about this program."""

from console.application.api import ChangeKind
from console.application.views import SessionView
from ui.view_model import LoadState, ViewModel


class SettingsModel(ViewModel):
    """Needs only the node's state."""

    WATCHES = frozenset({ChangeKind.SESSION})

    async def load(self) -> LoadState:
        """Query nothing: the frame keeps the session up to date."""
        return LoadState.READY

    @property
    def session(self) -> SessionView | None:
        """The node's newest state."""
        return self.context.link.session

    def lock_after(self, seconds: int) -> None:
        """Save another time until the window locks itself."""
        self.context.settings.lock_after_s = seconds
        self.context.settings.save()
        self.changed.emit()

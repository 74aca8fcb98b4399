"""An operator's preferences, in a small file beside the profiles; no secrets."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from ui.theme import ThemeName

FILE = "window.json"
_MAX_BYTES = 4096
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Settings:
    """Preferences of the window; without a `path` they are not saved."""

    theme: ThemeName = ThemeName.SYSTEM
    member: str = ""
    lock_after_s: int = 300
    path: Path | None = None

    def save(self) -> None:
        """Save the file; a failure loses only the preference."""
        if self.path is None:
            return
        content = asdict(self)
        del content["path"]
        try:
            self.path.write_text(json.dumps(content) + "\n", encoding="utf-8")
        except OSError as error:
            log.warning("preferences were not kept: %s", error.strerror)


def load(home: Path) -> Settings:
    """Return the preferences; defaults if the file is missing or damaged."""
    path = home / FILE
    settings = Settings(path=path)
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
        settings.theme = ThemeName(content["theme"])
        settings.member = str(content["member"])
        settings.lock_after_s = min(max(int(content["lock_after_s"]), 60), 3600)
    except (OSError, ValueError, KeyError, TypeError):
        return Settings(path=path)
    return settings

"""An operator's preferences, in a small file beside the profiles; no secrets."""

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path

from ui.theme import ThemeName

FILE = "window.json"
_MAX_BYTES = 4096
_LARGEST = 20_000
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Settings:
    """Preferences of the window; without a `path` they are not saved."""

    theme: ThemeName = ThemeName.SYSTEM
    member: str = ""
    lock_after_s: int = 300
    width: int = 0
    height: int = 0
    """The window's last size; 0 if there was none."""
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
        sizes = (int(content.get("width", 0)), int(content.get("height", 0)))
        settings.width, settings.height = (min(max(size, 0), _LARGEST) for size in sizes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Settings(path=path)
    return settings

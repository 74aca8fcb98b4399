"""ServiceUnit: a member's node as a user service of systemd, where one is set up."""

import shutil
import subprocess

_TIMEOUT_S = 5.0


class ServiceUnit:
    """`quorate-node@MEMBER.service` of this user. Blocking; whether it is enabled is asked once."""

    def __init__(self, member: str) -> None:
        self.name = f"quorate-node@{member}.service"
        self._enabled: bool | None = None

    @property
    def enabled(self) -> bool:
        """Whether the system starts this member's node."""
        if self._enabled is None:
            self._enabled = self._systemctl("is-enabled")
        return self._enabled

    def start(self) -> None:
        """Start it, also after it failed too often."""
        self._systemctl("reset-failed")
        self._systemctl("--no-block", "start")

    def _systemctl(self, *arguments: str) -> bool:
        program = shutil.which("systemctl")
        if program is None:
            return False
        try:
            done = subprocess.run(  # noqa: S603  the system's own program, found on the path
                [program, "--user", *arguments, self.name],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

"""A display for the window: the existing one, else a new Xvfb, else offscreen."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator

_SCREEN = "1600x1000x24"


@contextlib.contextmanager
def display() -> Iterator[str]:
    """Provide a display for a block and yield its kind."""
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        yield "the desktop"
        return
    server = shutil.which("Xvfb")
    if os.environ.get("QT_QPA_PLATFORM") or server is None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        yield "offscreen"
        return
    read, write = os.pipe()
    with subprocess.Popen(  # noqa: S603  a fixed program with fixed arguments
        [server, "-displayfd", str(write), "-screen", "0", _SCREEN, "-nolisten", "tcp"],
        pass_fds=(write,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as xvfb:
        os.close(write)
        with os.fdopen(read) as number:
            os.environ["DISPLAY"] = f":{number.readline().strip()}"
        os.environ["QT_QPA_PLATFORM"] = "xcb"
        manager = _window_manager()
        try:
            yield f"Xvfb on {os.environ['DISPLAY']}"
        finally:
            for process in (manager, xvfb):
                if process:
                    process.terminate()
                    process.wait()


def _window_manager() -> "subprocess.Popen[bytes] | None":
    """Start openbox: without a window manager no window becomes active."""
    openbox = shutil.which("openbox")
    if openbox is None:
        return None
    return subprocess.Popen(  # noqa: S603  a fixed program without arguments
        [openbox], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )

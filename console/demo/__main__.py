"""`quorate demo`: runs the stories in a real window; ends with `demo: OK` or the failure."""

import argparse
import asyncio
import faulthandler
import shutil
import sys
from pathlib import Path

from rich.console import Console as Terminal

from console import client
from console.application.api import CommandRefused, NodeUnreachable
from console.client import find_profiles
from console.demo.cluster import MORE_PEOPLE, Cluster, ClusterFailure
from console.demo.display import display
from console.demo.epilogue import Epilogue
from console.demo.lifecycle_story import LifecycleStory
from console.demo.operators import Operators
from console.demo.report import Report
from console.demo.story import CUSTODIANS, FAULT, Story
from console.demo.transfers_story import TransfersStory
from console.demo.window_driver import DemoFailure, WindowDriver
from console.logs import log_to
from console.set_up.trial_files import PEOPLE
from ui import placing, runloop
from ui import settings as preferences
from ui.app import make_application
from ui.window import ConsoleWindow


def main() -> int:
    """Run the demonstration; return 0 if every step succeeded."""
    parser = argparse.ArgumentParser(prog="quorate demo")
    parser.add_argument("--out", type=Path, default=Path("build/demo"))
    out: Path = parser.parse_args().out
    faulthandler.enable()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    log_to(out / "demo.log")
    report = Report(Terminal(stderr=False))
    with display() as kind:
        report.say(f"The window opens on {kind}")
        report.facts["display"] = kind
        app = make_application()
        app.setQuitOnLastWindowClosed(False)
        status = runloop.run(app, lambda: _demonstrate(out.resolve(), report))
    report.say("demo: OK" if status == 0 else "demo: FAILED")
    return status


async def _demonstrate(out: Path, report: Report) -> int:
    pictures: list[str] = []
    failure = ""
    try:
        await _tell(out, report, pictures)
    except (DemoFailure, ClusterFailure, CommandRefused, NodeUnreachable) as error:
        failure = str(error)
        report.say(f"The demonstration failed: {failure}")
    report.write(out / "report.json", ok=not failure, failure=failure, pictures=pictures)
    return 1 if failure else 0


async def _tell(out: Path, report: Report, pictures: list[str]) -> None:
    home = out / "home"
    async with report.step("A devnet starts; five members set up fresh tokens and keys"):
        cluster = await Cluster.create(home, people=(*PEOPLE, *MORE_PEOPLE), tell=report.say)
    window = None
    try:
        token = home / "fault-token"
        async with report.step("Five nodes start, linked by mutual TLS"):
            await asyncio.to_thread(token.touch)
            for member in CUSTODIANS[1:]:
                await cluster.start_node(member, fail_at=FAULT, fail_token=token)
            await cluster.start_nodes()
        profiles = await asyncio.to_thread(find_profiles, home)
        window = ConsoleWindow(profiles, client.connect, preferences.load(home))
        # The pictures have one size, whatever screen there is.
        window.resize(placing.USUAL)
        window.show()
        hands = WindowDriver(window, out)
        try:
            people = Operators(cluster, hands)
            await Story(people, report, token).run()
            await TransfersStory(people, report).run()
            await LifecycleStory(people, report).run()
            await Epilogue(people, report).run()
        except BaseException:  # Save what the window showed, for any failure.
            window.grab().save(str(out / "failure.png"))
            raise
        finally:
            pictures.extend(hands.taken)
    finally:
        if window:
            window.close()
            await window.finish()
        await cluster.stop()


if __name__ == "__main__":
    sys.exit(main())

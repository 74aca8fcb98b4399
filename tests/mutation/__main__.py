"""python -m tests.mutation: remove every check of a target, and see which test turns red."""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.mutation.mutants import KINDS, Mutant, mutants_of
from tests.mutation.targets import ROOT, TARGETS
from tests.mutation.workbench import ALONE, SURVIVED, Workbench

CHECKS = ("check", "erase", "record")


def chosen(arguments: argparse.Namespace, sources: dict[str, str]) -> list[Mutant]:
    """Give the mutants that were asked for, of some classes a sample drawn with the seed."""
    kinds = set(arguments.kinds.split(","))
    every = [m for module, text in sources.items() for m in mutants_of(module, text)]
    every = [m for m in every if m.kind in kinds and arguments.module in m.module]
    others = [m for m in every if m.kind not in CHECKS]
    if 0 < arguments.sample < len(others):
        left = random.Random(arguments.seed).sample(others, len(others) - arguments.sample)  # noqa: S311
        every = [m for m in every if m not in left]
    return every


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--target", choices=TARGETS, default="protocols")
    parser.add_argument("--kinds", default=",".join(KINDS), help="classes, joined by commas")
    parser.add_argument("--only-checks", dest="kinds", action="store_const", const=",".join(CHECKS))
    parser.add_argument("--module", default="", help="only modules whose path holds this")
    parser.add_argument(
        "--sample", type=int, default=0, help="how many besides those of --only-checks"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--budget", type=float, default=20, help="seconds of tests per mutant")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    target = TARGETS[arguments.target]
    sources = {str(path.relative_to(ROOT)): path.read_text() for path in target.modules()}
    mutants = chosen(arguments, sources)
    print(f"{len(mutants)} mutants, seed {arguments.seed}", flush=True)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        bench = Workbench(Path(folder).resolve(), target, arguments.budget)
        bench.learn()
        print("left out:", *(bench.broken or ["nothing"]), flush=True)
        verdicts = bench.graft_all(mutants, sources)
        for mutant, verdict in zip(mutants, verdicts, strict=True):
            source = sources[mutant.module]
            final, diff = verdict, mutant.diff(source)
            if verdict == ALONE:
                final = bench.try_alone(mutant, mutant.apply(source))
            if final == SURVIVED:
                print(
                    f"{mutant.module}:{mutant.line}: {mutant.kind}", *diff, sep="\n    ", flush=True
                )
            row = {"module": mutant.module, "line": mutant.line, "kind": mutant.kind}
            rows.append(row | {"diff": diff, "verdict": final})
    print(report(rows))
    output = arguments.output or ROOT / f"build/mutation-{arguments.target}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    result = {"python": sys.version.split()[0], "seed": arguments.seed, "mutants": rows}
    output.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def report(rows: list[dict[str, object]]) -> str:
    """Give one line per class: killed, all, and the score."""
    total = Counter(str(row["kind"]) for row in rows)
    alive = Counter(str(row["kind"]) for row in rows if row["verdict"] == SURVIVED)
    lines = [
        f"{kind:12} {total[kind] - alive[kind]:4} of {total[kind]:4}  {meaning}"
        for kind, meaning in KINDS.items()
    ]
    score = 100 * (1 - alive.total() / max(total.total(), 1))
    return "\n".join([*lines, f"{score:.1f} % of {total.total()} mutants killed"])


if __name__ == "__main__":
    sys.exit(main())

"""Fuzz one parser, or every one in turn, by hand: ``python -m tests.fuzz.run NAME --runs N --seed S``.

Needs atheris (``pip install '.[fuzz]'``), which follows the parser's branches to find inputs that reach new ones. Each
parser gets a process of its own, because libFuzzer ends the one it is in. An input that breaks a promise is printed as
a line to add to ``tests/fuzz/seeds/NAME.txt``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

#: libFuzzer ends an input that takes longer, seconds, and one that takes more memory, MiB.
_TIMEOUT, _MEMORY = 10, 2048


def main() -> int:
    """Fuzz as the arguments say; 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a parser's name, or all")
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs (default: a million)")
    parser.add_argument("--seed", type=int, default=1, help="of the random numbers (default: 1)")
    parser.add_argument("--max-len", type=int, default=400, help="bytes of an input (default: 400)")
    parser.add_argument("--seconds", type=int, default=0, help="stop sooner (default: no)")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        _fuzz(given)
        return 0
    from tests.fuzz.registry import TARGETS

    names = list(TARGETS) if given.name == "all" else given.name.split(",")
    return max(_in_a_process(name, given) for name in names)


def _in_a_process(name: str, given: argparse.Namespace) -> int:
    options = [
        f"--{option}={getattr(given, option.replace('-', '_'))}" for option in ("runs", "seed", "max-len", "seconds")
    ]
    began = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz.run", name, "--here", *options]
    process = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    done = next((line for line in process.stderr.splitlines() if line.startswith("Done ")), "")
    tried = int(done.split()[1]) if done else 0
    seconds = time.monotonic() - began
    print(f"{name}: {tried:,} inputs, seed {given.seed}, {seconds:.0f} s" + ("" if done else ": FOUND"), flush=True)
    if not done:
        print(process.stdout[-3000:], *process.stderr.splitlines()[-12:], sep="\n", flush=True)
    return 0 if done else 1


def _fuzz(given: argparse.Namespace) -> None:
    import atheris

    with atheris.instrument_imports(include=["penstock"]):
        from tests.fuzz.registry import TARGETS
    target = TARGETS[given.name]

    def one(data: bytes) -> None:
        try:
            target.check(data)
        except BaseException:
            print("seed:", data.decode("latin-1").encode("unicode_escape").decode(), flush=True)
            raise

    folder = Path(tempfile.mkdtemp(prefix=f"penstock-fuzz-{given.name}-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(target.seeds):
        (corpus / str(number)).write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(f'"{_escaped(piece)}"\n' for piece in target.pieces if 0 < len(piece) <= 60))
    limits = [f"-timeout={_TIMEOUT}", f"-rss_limit_mb={_MEMORY}", f"-max_len={given.max_len}"]
    if given.seconds:
        limits.append(f"-max_total_time={given.seconds}")
    chosen = [f"-runs={given.runs}", f"-seed={given.seed}", f"-dict={words}", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *chosen, *limits, str(corpus)], one)
    atheris.Fuzz()


def _escaped(piece: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in piece)


if __name__ == "__main__":
    raise SystemExit(main())

"""How cheap could many small files be? Penstock beside what bounds it, in turns.

python -m bench.small_limits [--rounds 5] [--files 10000] [--kib 16]

From nginx over loopback into a memory file system, as in job d. *Two of it* are two whole processes with half of the
list each, at once: about what sharing one download out over processes could bring, which has one start less and has to
pass everything between them. *The least* is a loop over libcurl that does for each file what cannot be left out
(request, SHA-256, a file without a name, its time, its name), and knows no lists, limits, retries or records; in one
process, and in two. Prints medians of the pairs' ratios.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from bench.figures import per, ratio
from bench.jobs.many import AT_ONCE, LOOP, digest_of, fetched, make_files
from bench.peers import Command, Files
from bench.results import Case, Sample
from bench.rounds import Entry, play
from bench.scale import Scale
from bench.stage import Stage, shared_memory

#: Arguments: list of URLs, directory, processes.
_LEAST = f"""{LOOP}
import hashlib, os
urls, processes = open(sys.argv[1]).read().split(), int(sys.argv[3])
directory = os.open(sys.argv[2], os.O_RDONLY)
share = 0
while share + 1 < processes and os.fork():
    share += 1
def keep(curl):
    body, name = b"".join(curl.body), curl.url.rpartition("/")[2]
    hashlib.sha256(body).hexdigest()
    file = os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o666, dir_fd=directory)
    os.write(file, body)
    os.utime(file, (1e9, 1e9))
    os.link(f"/proc/self/fd/{{file}}", name, dst_dir_fd=directory, follow_symlinks=True)
    os.close(file)
fetch(urls[share::processes], {AT_ONCE} // processes, keep)
if share == processes - 1:
    for _ in range(processes - 1):
        assert os.wait()[1] == 0
"""
_CURL = "curl -Z"
_FIGURES = ("wall", "user", "system")


def programs(files: Files) -> dict[str, Command]:
    """What takes part, by what it is called."""
    python, directory = sys.executable, str(files.directory)

    def ours(urls: Path, at_once: int) -> list[str]:
        share = ["-j", str(at_once), "--per-host", str(at_once), "--manifest", f"{directory}.penstock.{urls.name}"]
        return [python, "-m", "penstock", "get", "--no-config", "-q", "-i", str(urls), "-d", directory, *share]

    halves = [files.lists / "first-half", files.lists / "second-half"]
    lines = files.urls.read_text().splitlines(keepends=True)
    for number, half in enumerate(halves):
        half.write_text("".join(lines[number::2]))
    first, second = (shlex.join(ours(half, files.at_once // 2)) for half in halves)
    least = (python, "-c", _LEAST, str(files.urls), directory)
    return {
        "penstock": Command(tuple(ours(files.urls, files.at_once))),
        "two of it, half each": Command(
            ("sh", "-c", f"{first} & other=$!; {second}; own=$?; wait $other && exit $own")
        ),
        "the least, one process": Command((*least, "1")),
        "the least, two": Command((*least, "2")),
        _CURL: Command(("curl", "-sfZ", "--parallel-max", str(files.at_once), "--config", str(files.curl_config))),
        "aria2c -j16": Command(("aria2c", "--no-conf", "-q", "-j16", "-x16", "-i", str(files.urls), "-d", directory)),
    }


def main() -> None:
    """Run them and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kib", type=int, default=16)
    options = parser.parse_args()
    memory = shared_memory()
    stage = Stage(Scale(), memory, memory, None)
    with stage.nginx() as server, stage.folder() as folder:
        names = make_files(server.root, options.files, options.kib)
        digest = digest_of(server.root)
        files = Files(server.url(""), names, folder / "out", folder / "lists", AT_ONCE)
        files.write_lists()

        def entry(name: str, command: Command) -> Entry:
            def step() -> Sample:
                return fetched(command, files, lambda: digest_of(files.directory) == digest, stage.scale.timeout)

            return Entry(name, step, options.rounds)

        rows = play([entry(name, command) for name, command in programs(files).items()])
    title = f"{options.files:,} x {options.kib} KiB"
    case = Case("small-limits", title, (), rows, {"files": float(options.files)})
    print(f"{title}: us a file, and wall time over that of {_CURL}")
    for row in rows:
        if row.note:
            print(f"{row.program:24} {row.note}")
            continue
        costs = "  ".join(f"{name} {(per(case, row, name, 'files') or 0) * 1e6:5.1f}" for name in _FIGURES)
        print(f"{row.program:24} {costs}  ratio {ratio(case, row.program, _CURL, 'wall') or 0:.2f}")


if __name__ == "__main__":
    main()

"""How much is measured: everything that makes a run long or short, in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Scale:
    """Sizes and rounds of a full run. `--set NAME=VALUE` changes one of them; lists are separated by commas."""

    #: Rounds of programs that a target is about, and of the others.
    rounds: int = 5
    other_rounds: int = 2
    #: Rounds of the large file over other numbers of connections than the targets'.
    large_rounds: int = 2
    #: Rounds of the start-up job.
    startup_rounds: int = 15
    #: The large file, plain and over TLS (MiB), and over how many connections; the first number is the targets'.
    large_mib: int = 1024
    connections: tuple[int, ...] = (4, 1, 16)
    #: The file over shaped links (MB), and which of `bench.links` are measured ("" for all).
    shaped_mb: float = 100.0
    links: tuple[str, ...] = ()
    #: Links of one's own instead: MB/s of the connections in turn, seconds of a round trip, whether one goes silent.
    rates: tuple[float, ...] = ()
    round_trip: float = 0.0
    silent: bool = False
    shaped_connections: tuple[int, ...] = (8, 16)
    #: A program that takes this many times the ideal is stopped; those that are not made for splitting sooner.
    hopeless: float = 4.0
    hopeless_others: float = 2.0
    #: Small files, and larger ones.
    small_files: int = 10_000
    small_kib: int = 16
    middle_files: int = 1_000
    middle_kib: int = 1024
    #: The file for memory, for the checksum and for resuming (MiB), and the number of URLs.
    memory_mib: int = 4096
    memory_connections: int = 16
    urls: int = 1_000_000
    checksum_mib: int = 4096
    resume_mib: int = 4096
    resume_rounds: int = 3
    resume_other_rounds: int = 2
    #: Growth: numbers of files, and of connections for a file of `large_mib`.
    growth_files: tuple[int, ...] = (1_000, 10_000, 100_000)
    growth_connections: tuple[int, ...] = (1, 4, 16, 64, 256)
    growth_rounds: int = 2
    #: Seconds after which any program is stopped.
    timeout: float = 60.0


FULL = Scale()
#: Under three minutes: the same tables from smaller files and fewer rounds.
QUICK = Scale(
    rounds=2, other_rounds=1, startup_rounds=3, large_mib=128, connections=(4,), shaped_mb=20.0,
    links=("uneven", "cap", "faults"), shaped_connections=(8,), hopeless=3.0, small_files=1_000, middle_files=50,
    memory_mib=256, urls=20_000, checksum_mib=256, resume_mib=512, growth_files=(500, 2_000),
    growth_connections=(1, 4, 16, 64), growth_rounds=1, resume_rounds=1, resume_other_rounds=1, timeout=20.0,
)  # fmt: skip


def changed(scale: Scale, settings: list[str]) -> Scale:
    """The scale with `NAME=VALUE` settings applied. Raises ValueError for what it does not know."""
    known = {field.name: field for field in fields(scale)}
    values: dict[str, object] = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        if name not in known:
            raise ValueError(f"there is no {name}; there are {', '.join(known)}")
        values[name] = _read(text, str(known[name].type))
    return replace(scale, **values)  # type: ignore[arg-type]


def _read(text: str, kind: str) -> object:
    """A value of the kind that the field is annotated with."""
    if kind == "bool":
        return text.lower() in {"1", "yes", "true"}
    if kind.startswith("tuple"):
        return tuple(_read(word, kind[len("tuple[") :].partition(",")[0]) for word in text.split(",") if word)
    return {"int": int, "float": float, "str": str}[kind](text)

"""Links that are not alike: how near does each program come to the ideal time?"""

from __future__ import annotations

from tests.servers.content import Content

from bench.fetching import entries
from bench.links import ALL, MB, Links
from bench.peers import File
from bench.results import Case, Job, Sample
from bench.rounds import Entry, play
from bench.shaped_server import ShapedServer
from bench.stage import Stage, say
from bench.targets import OURS

_ABOUT = (
    "{mb:g} MB from a server in a process of its own that gives each connection a rate, in the order they come. The "
    "ideal is the time that all connections together take when none is idle and the round trips before the first byte "
    "are paid; a silent connection counts as nothing, one that is reset in full. A program that gives up a slow "
    "connection and opens another may get a better rate, and so come out below 1. The time is that of the whole "
    "process, its start included. Whoever takes {hopeless:g} times the ideal is stopped as too slow; programs other "
    "than {splitters} have one round, at {others:g} times."
)
#: A start takes its time too, so nothing is hopeless before so many seconds.
_LEAST_PATIENCE = 3.0
#: Programs made for splitting files take part with every number of connections, the others with the first.
_SPLITTERS = ("aria2", "axel")
#: And only over these links: what they do over the rest follows from these.
_TELLING = ("equal", "uneven", "changing", "cap", "own")


def measure(stage: Stage) -> Job:
    """Every kind of links with every number of connections."""
    scale = stage.scale
    about = _ABOUT.format(
        mb=scale.shaped_mb, hopeless=scale.hopeless, others=scale.hopeless_others, splitters=" and ".join(_SPLITTERS)
    )
    content = Content(int(scale.shaped_mb * MB))
    with ShapedServer(content.size) as server:
        cases = [
            _case(stage, server, content, links, count)
            for links, counts in chosen(stage)
            for count in counts
        ]  # fmt: skip
    return Job("c", "Links that are not alike", about, tuple(cases))


def chosen(stage: Stage) -> list[tuple[Links, tuple[int, ...]]]:
    """Which links, with which numbers of connections."""
    scale = stage.scale
    if scale.rates:
        title = f"{', '.join(f'{rate:g}' for rate in scale.rates)} MB/s in turn"
        own = Links("own", title, scale.rates, round_trip=scale.round_trip, silent=scale.silent)
        return [(own, scale.shaped_connections)]
    found = []
    for links, counts in ALL:
        if not scale.links or links.key in scale.links:
            wanted = tuple(count for count in counts if count in scale.shaped_connections)
            found.append((links, wanted or counts[-1:]))
    return found


def _case(stage: Stage, server: ShapedServer, content: Content, links: Links, connections: int) -> Case:
    say(f"c: {links.title}, {connections} connections")
    ideal = links.ideal(connections, content.size)
    with stage.folder() as folder:
        file = File(server.url, folder / "out" / "file.bin", content.size, connections, sha256=content.sha256)

        def refused(sample: Sample) -> Sample:
            return sample | {"refusals": float(server.refusals())} if links.cap else sample

        def programs(hopeless: float) -> list[Entry]:
            patience = max(hopeless * ideal, _LEAST_PATIENCE)
            return entries(stage, file, timeout=patience, before=lambda: server.begin(links), after=refused)

        splitting = [each for each in programs(stage.scale.hopeless) if each.program in (OURS, *_SPLITTERS)]
        others: list[Entry] = []
        if links.key in _TELLING and (links.cap or connections == min(stage.scale.shaped_connections)):
            known = ("curl", *(each.program for each in splitting))
            others = [each for each in programs(stage.scale.hopeless_others) if each.program not in known]
        for each in others:
            each.rounds = 1
        rows = play([*splitting, *others], warm_up=0)
    columns = ("wall", "ideal", *(("refusals",) if links.cap else ()), "cpu")
    title = f"{links.title}; {connections} connections; ideal {ideal:.2f} s"
    return Case(f"c-{links.key}-{connections}", title, columns, rows, {"ideal": ideal, "bytes": float(content.size)})

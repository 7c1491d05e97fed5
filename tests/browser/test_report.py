"""The report in a browser: clicked through, by pointer and by keyboard, wide and narrow, light and dark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock.report.page import page
from tests.browser.views import Theme, view
from tests.cli.command import penstock
from tests.report.test_page import hostile
from tests.report.traces import MB, Trace, batch, eventful, one_file
from tests.servers.content import Content
from tests.servers.fault import FaultServer, Reply, Request

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def many_small() -> Trace:
    return batch(2500, hosts=12, failing=30, at_once=32)


def with_pauses() -> Trace:
    return one_file(20, [(0, 4, MB), (3, 16, MB / 2)], pauses=[(5.0, 6.0, "rate limit"), (8.0, 9.5, "disk")])


RUNS = {"eventful": eventful, "batch": many_small, "wide": with_pauses}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page for each of RUNS, and one of a real run."""
    home = tmp_path_factory.mktemp("reports")
    made = {name: save(make(), home / f"{name}.html") for name, make in RUNS.items()}
    return {"shaped": shaped(home), **made}


def shaped(home: Path) -> Path:
    """The report of a real run whose connections bring 4, 4, 4 and 0.2 MB/s in turn; one of them goes silent."""
    with FaultServer() as server:

        def script(request: Request, reply: Reply) -> None:
            reply.rate = (4 * MB, 4 * MB, 4 * MB, MB / 5)[request.connection % 4]
            if request.connection == 5:
                reply.stall_after = 2 * MB

        server.script = script
        url = server.serve("/ubuntu-24.04.iso", Content(64 * MB))
        done = penstock("get", "-q", "--trace", str(home / "shaped.json"), "-d", str(home / "data"), url)
        assert done.returncode == 0, done.stderr
    done = penstock("report", str(home / "shaped.json"))
    assert done.returncode == 0, done.stderr
    return home / "shaped.html"


def save(trace: Trace, path: Path) -> Path:
    path.write_text(page(trace.judged()), encoding="utf-8")
    return path


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("run", ["shaped", *RUNS])
def test_every_tab_opens_fits_and_asks_for_nothing(
    browser: Browser, reports: dict[str, Path], run: str, width: int, theme: Theme
) -> None:
    with view(browser, reports[run], width, theme) as opened:
        assert opened.page.locator("h1").inner_text().endswith(".")
        names = opened.tabs()
        assert {"Overview", "Connections", "Bytes", "Hosts"} <= set(names)
        for name in names:
            opened.page.get_by_role("tab", name=name).click()
            panels = opened.page.locator("section:visible")
            assert panels.count() == 1
            assert panels.get_attribute("id") == name.lower()
            assert panels.inner_text().strip()
            assert not opened.overflows(), name
            for summary in opened.page.locator("section:visible summary").all():
                summary.click()
                assert not opened.overflows(), name
                summary.click()
            opened.capture(f"{run}-{name.lower()}-{width}-{theme}")


def test_the_theme_follows_the_system_until_the_other_is_chosen(browser: Browser, reports: dict[str, Path]) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for theme in ("light", "dark"):
        with view(browser, reports["eventful"], theme=theme) as opened:
            first = opened.page.evaluate(background)
            opened.page.get_by_role("button", name="Dark" if theme == "light" else "Light").click()
            seen[theme] = (first, opened.page.evaluate(background))
            opened.page.get_by_role("button").click()
            assert opened.page.evaluate(background) == first
    assert seen["light"] == seen["dark"][::-1]
    assert seen["light"][0] != seen["light"][1]


def test_tabs_and_marks_are_reached_by_keyboard_and_tell_what_they_are(
    browser: Browser, reports: dict[str, Path]
) -> None:
    with view(browser, reports["eventful"]) as opened:
        keys, tip = opened.page.keyboard, opened.page.locator("#tip")
        focused = "document.activeElement.textContent"
        keys.press("Tab")
        assert opened.page.evaluate(focused) == "Dark"
        keys.press("Tab")
        assert opened.page.evaluate(focused) == "Overview"
        keys.press("ArrowRight")
        assert opened.page.evaluate(focused) == "Connections"
        assert opened.page.locator("section:visible").get_attribute("id") == "connections"
        assert opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        keys.press("Tab")
        first = tip.inner_text()
        assert tip.is_visible()
        keys.press("ArrowDown")
        below = tip.inner_text()
        assert below != first
        assert opened.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        opened.capture("eventful-tooltip-1280-light")
        keys.press("ArrowUp")
        assert tip.inner_text() == first
        keys.press("End")
        assert tip.inner_text() not in (first, below)
        keys.press("Home")
        assert tip.inner_text() == first
        keys.press("Escape")
        assert tip.is_hidden()
        keys.press("Tab")  # the whole chart is one stop: the next is what is folded away below it
        assert opened.page.evaluate("document.activeElement.tagName") == "SUMMARY"


def test_the_pointer_gets_the_same_tooltips_inside_the_window(browser: Browser, reports: dict[str, Path]) -> None:
    with view(browser, reports["eventful"], 360) as opened:
        marks = opened.page.locator("section:visible svg.plot .m")
        assert marks.count() > 5
        for number in (0, marks.count() // 2, marks.count() - 1):
            marks.nth(number).hover()
            box = opened.page.locator("#tip").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360


def test_without_its_script_everything_is_there(browser: Browser, reports: dict[str, Path]) -> None:
    for width in (1280, 360):
        with view(browser, reports["batch"], width, script=False) as opened:
            assert opened.page.locator("section:visible").count() == opened.page.locator("section").count() > 4
            assert opened.page.locator("#theme").is_hidden()
            assert opened.page.locator("svg.plot title").count() > 50
            assert not opened.overflows()
            opened.capture(f"batch-noscript-{width}")


def test_S11_a_hostile_trace_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    with view(browser, save(hostile(), tmp_path / "r.html"), 360) as opened:
        for name in opened.tabs():
            opened.page.get_by_role("tab", name=name).click()
            assert not opened.overflows(), name
        assert opened.page.locator("img").count() == 0


def test_the_policy_lets_no_other_script_run(browser: Browser, reports: dict[str, Path], tmp_path: Path) -> None:
    """Even if escaping failed one day."""
    changed = reports["eventful"].read_text().replace("</h1>", "<script>document.title='pwned'</script></h1>")
    path = tmp_path / "changed.html"
    path.write_text(changed)
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(path.as_uri())
    assert opened.title() != "pwned"
    assert opened.get_by_role("tab").count() > 3  # ours ran
    context.close()

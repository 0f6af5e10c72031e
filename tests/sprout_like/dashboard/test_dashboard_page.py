"""The page in a real browser: what it shows, follows, survives and never runs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from grid import SourceError
from grid.clock import slot_start, utc_now
from grid.intensity import Series
from grid.testing import ScriptedSource, reading
from sprout_like.ledger import open_ledger
from tests.sprout_like.cli.jobs_queue import make_queue
from tests.sprout_like.dashboard.ledgers import HOSTILE, busy_month, now_request, write

WAIT_MS = 20_000
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A tab in which any error of a script, and anything that the policy of contents blocks, fails the test."""
    context = browser.new_context(timezone_id="Europe/London")
    context.set_default_timeout(WAIT_MS)
    page, faults = context.new_page(), []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    yield page
    context.close()
    assert not faults


def ahead() -> Series:
    start_utc = slot_start(utc_now(), HALF_HOUR)
    return Series(reading(200.0 - n, start_utc=start_utc + n * HALF_HOUR, status="forecast") for n in range(96))


def wait_for(page: Any, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.textContent.includes(text)", arg=[selector, text]
    )


def test_a_busy_ledger_is_shown_whole(page, serve, ledger) -> None:
    write(ledger, busy_month(2000))
    made = make_queue(ledger)
    served = serve(ledger, source=ScriptedSource(150.0, forecasts=[ahead()]))
    page.goto(served.url)
    wait_for(page, "#tile-intensity", "150 g/kWh")
    wait_for(page, "#tile-energy", "mean of the day")
    wait_for(page, "#saving", "Energy:")
    wait_for(page, "#jobs", made.job_id[:12])
    wait_for(page, "#health", "forecast")
    wait_for(page, "#mix", "very_brief")
    wait_for(page, "#grid", "Lowest ahead: 105 g/kWh")
    wait_for(page, "#state", "live")
    assert page.locator(".plot canvas").count() == 3
    page.get_by_label("month").check()
    wait_for(page, "#tile-energy", "mean of the month")


def test_rows_written_while_it_is_open_are_shown(page, serve, ledger) -> None:
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#notice", "The first request makes it")
    done = threading.Event()

    def live() -> None:
        number = 0
        opened = open_ledger(ledger, spool_path=ledger.with_suffix(".spool"))
        while not done.wait(0.02):
            number += 1
            opened.append(now_request(number, ago=timedelta(0)))
        opened.close()

    writer = threading.Thread(target=live)
    writer.start()
    try:
        page.wait_for_selector("#notice", state="hidden")
        wait_for(page, "#mix", "brief 100.0 %")
        said = "/([\\d,]+) in all/.exec(document.querySelector('#tile-rate').textContent)"
        total = f"() => Number({said}?.[1].replace(',', '') ?? 0)"
        first = page.evaluate(total)
        page.wait_for_function(f"(first) => ({total})() >= first + 20", arg=first)
    finally:
        done.set()
        writer.join()


def test_a_row_is_on_the_page_within_two_polls(page, serve, ledger) -> None:
    write(ledger, [now_request(1)])
    served = serve(ledger, poll_s=1.0)
    page.goto(served.url)
    wait_for(page, "#mix", "brief 100.0 %")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    write(ledger, [now_request(2, directive="unseen")])
    wait_for(page, "#mix", "unseen 50.0 %")
    assert sum("/api/traffic" in url for url in asked) <= 2


def test_the_saving_that_is_read_first_is_that_of_all_policies_together_with_its_doubts(page, serve, ledger) -> None:
    energies_j = {("old", "policy"): 10.0, ("old", "control"): 20.0, ("new", "policy"): 30.0, ("new", "control"): 40.0}
    write(
        ledger,
        [
            now_request(
                2 * n + place,
                policy_version=version,
                decision_group=group,
                directive="full" if group == "control" else "brief",
                energy_j=energies_j[version, group] + 0.01 * (n % 3),
                propensity=0.5,
            )
            for place, (version, group) in enumerate(energies_j)
            for n in range(100 * place, 100 * place + 5)
        ],
    )
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#tile-saved", "33.3 %")
    wait_for(page, "#tile-saved", "! doubts: see below")
    wait_for(page, "#saving", "Energy, all policies together: 33.3 %")
    wait_for(page, "#saving", "Energy, old: 50.0 %")
    wait_for(page, "#saving", "below 30 its mean is not leant on")


def test_hostile_names_are_shown_as_the_text_they_are(page, serve, ledger) -> None:
    names = {"model": HOSTILE, "task": HOSTILE, "directive": HOSTILE, "tags": {HOSTILE: HOSTILE}, "meter": HOSTILE}
    write(
        ledger,
        [
            now_request(n, policy_version=HOSTILE, decision_group=("policy", "control")[n % 2], **names)
            for n in range(20)
        ],
    )
    make_queue(ledger)
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#mix", f"{HOSTILE} 100.0 %")
    wait_for(page, "#health", HOSTILE)
    page.locator("#mix summary").click()
    wait_for(page, "#mix table", HOSTILE)
    assert page.title() == "sprout-like"
    assert page.locator("main img, main script").count() == 0


def test_the_page_says_that_the_server_is_gone(page, serve, ledger) -> None:
    write(ledger, [now_request(1)])
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#state", "live")
    served.stop()
    wait_for(page, "#state", "server gone")
    wait_for(page, "#notice", "does not answer")


def test_a_ledger_that_goes_away_and_comes_back(page, serve, ledger: Path) -> None:
    write(ledger, [now_request(1)])
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#mix", "brief 100.0 %")
    kept = ledger.rename(ledger.with_name("kept.sqlite"))
    ledger.write_bytes(b"no database" * 1000)
    wait_for(page, "#state", "ledger unreadable")
    wait_for(page, "#notice", "not a database")
    wait_for(page, "#mix", "Unknown while the ledger cannot be read")
    wait_for(page, "#tile-energy", "–")
    kept.replace(ledger)
    wait_for(page, "#mix", "brief 100.0 %")
    wait_for(page, "#state", "live")


def test_an_empty_ledger_has_a_friendly_page(page, serve, ledger) -> None:
    write(ledger, [])
    write(ledger, [now_request(1, ago=timedelta(days=400))])
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#mix", "No request in this span")
    wait_for(page, "#jobs", "No jobs")
    wait_for(page, "#saving", "Nothing to compare")
    wait_for(page, "#tile-energy", "–")
    assert page.locator("#notice").is_hidden()


def test_a_source_that_is_down_leaves_the_intensity_unknown(page, serve, ledger) -> None:
    served = serve(ledger, source=ScriptedSource(SourceError("scripted: nobody answers")))
    page.goto(served.url)
    wait_for(page, "#grid", "nobody answers")
    wait_for(page, "#tile-intensity", "–")
    wait_for(page, "#health", "carbon is unknown")


def test_a_hidden_page_asks_nothing(page, serve, ledger) -> None:
    write(ledger, [now_request(1)])
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#state", "live")
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { value: true, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    wait_for(page, "#state", "paused")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    write(ledger, [now_request(2, directive="unseen")])
    page.evaluate("() => new Promise((done) => setTimeout(done, 1000))")  # five polls of a visible page
    assert not asked
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')); }")
    wait_for(page, "#mix", "unseen")


def test_it_is_read_with_the_keyboard_alone(page, serve, ledger) -> None:
    write(ledger, busy_month(600))
    served = serve(ledger)
    page.goto(served.url)
    wait_for(page, "#mix", "full")
    page.locator("#mix .plot").focus()
    page.keyboard.press("End")
    wait_for(page, "#mix .readout", "/min")
    last = page.locator("#mix .readout").text_content()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("(last) => document.querySelector('#mix .readout').textContent !== last", arg=last)
    page.locator("#mix summary").focus()
    page.keyboard.press("Enter")
    wait_for(page, "#mix table", "full")
    assert page.locator("#mix table tbody tr").count() in (23, 24)
    write(ledger, [now_request(10**6, directive="unseen")])
    wait_for(page, "#mix .legend", "unseen")
    assert page.evaluate("() => document.activeElement.tagName") == "SUMMARY"
    wait_for(page, "#mix table", "unseen")
    page.get_by_label("day").focus()
    page.keyboard.press("ArrowRight")
    wait_for(page, "#tile-energy", "mean of the week")


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark"), (320, "dark")])
def test_nothing_is_wider_than_the_screen(browser, serve, ledger, width: int, scheme: str) -> None:
    write(ledger, [*busy_month(300), now_request(10**6, directive="x" * 200)])
    make_queue(ledger)
    served = serve(ledger, source=ScriptedSource(150.0, forecasts=[ahead()]))
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(served.url)
    page.wait_for_selector("#mix .plot canvas", timeout=WAIT_MS)
    wait_for(page, "#jobs", "running")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    context.close()


def test_a_token_opens_the_page_and_leaves_the_address(page, serve, ledger) -> None:
    write(ledger, [now_request(1)])
    served = serve(ledger, token=True)
    page.goto(served.url)
    wait_for(page, "#state", "live")
    assert page.url == f"{served.base}/"
    assert page.evaluate("() => document.cookie") == ""


def test_no_request_leaves_the_server(page, serve, ledger) -> None:
    write(ledger, [now_request(1)])
    served = serve(ledger)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(served.url)
    wait_for(page, "#mix", "brief")
    assert asked
    assert all(url.startswith(f"{served.base}/") for url in asked)

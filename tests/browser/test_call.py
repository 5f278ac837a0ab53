"""The call screen in real Chromium, with a recording as its microphone, before a tutor that follows a script."""

import asyncio
import struct

import pytest
from playwright.async_api import Browser, expect
from vivavoce.conversation.v1 import conversation_pb2 as settings_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb

from mesh.testing import until
from tests.browser.chromium import PHONE
from tests.browser.scripted_tutor import OPENER, REPLY_HZ, STORY
from tests.browser.visits import KEEPS_TRACKS, REFUSES_MICROPHONE, REFUSES_SOCKETS, line, visit
from tests.edge.conftest import House

LITTLE = """localStorage.setItem("vivavoce.call", '{"bandwidth": "little"}');"""
#: A network that takes nothing.
SHORT = "() => { Object.defineProperty(WebSocket.prototype, 'bufferedAmount', { get: () => 1e6 }); }"
#: Notes whether the screen is kept on.
KEEPS_AWAKE = """
  window.awake = 0;
  WakeLock.prototype.request = async () => { awake += 1; return { release: async () => { awake -= 1; } }; };
"""

pytestmark = pytest.mark.timeout(120)


async def test_a_guest_talks_is_heard_interrupts_and_leaves(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        page, tutor = seen.page, seen.tutor
        await seen.start()
        await expect(page.get_by_text("A scripted tutor.")).to_be_visible()
        await until(lambda: tutor.played.get("rep_1", [0])[-1] == REPLY_HZ, within_s=30)

        await seen.write("I wants tea")
        await expect(page.get_by_role("button", name="answered in 512 ms")).to_be_visible()
        await expect(page.get_by_role("complementary")).to_contain_text("I want tea")
        await expect(page.get_by_role("listitem").filter(has_text="Greet")).to_contain_text("reached")
        await until(lambda: len(tutor.played.get("rep_2", [])) > 3, within_s=30)
        await page.get_by_role("button", name="Stop the tutor").click()
        await expect(page.get_by_role("button", name="story,")).to_have_css("text-decoration-line", "line-through")
        await expect(page.get_by_role("button", name="very")).not_to_have_css("text-decoration-line", "line-through")
        reports = tutor.played["rep_2"]
        assert reports == sorted(reports)
        assert 0.3 * REPLY_HZ < reports[-1] < 9 * REPLY_HZ, "it stopped where it was interrupted"

        await page.get_by_role("button", name="End", exact=True).click()
        await expect(page.get_by_role("heading", name="Well done!")).to_be_visible()
        await expect(page.get_by_role("link", name="See the report")).to_have_attribute("href", "/history/cnv_1")
        await asyncio.wait_for(seen.house.conversations.ended.wait(), 5)

        assert tutor.gaps == 0, "every position follows the one before"
        assert len(tutor.heard) > tutor.rate * 2, "more than a second of the microphone was heard"
        assert max(struct.unpack(f"<{len(tutor.heard) // 2}h", tutor.heard)) > 2000, "and it is not silence"
        assert seen.watched.complaints == []
        assert seen.watched.hosts == {f"127.0.0.1:{seen.house.edge.port}"}


async def test_words_are_marked_as_they_sound(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.start()
        await seen.write("Tell me a story")
        story = line(seen.page, STORY)
        begun = story.locator("button[data-begun]")
        await expect(begun).not_to_have_count(0)
        assert await begun.count() < len(STORY.split()), "the story takes ten seconds"
        await expect(story.get_by_role("button", name="story,")).to_have_attribute("data-begun", "", timeout=20_000)


async def test_the_client_brings_a_fresh_access_token_before_the_old_one_expires(
    browser: Browser, house: House
) -> None:
    async with visit(browser, house) as seen:
        tutor, users = seen.tutor, seen.house.users
        await seen.start()
        await seen.write("How long may I stay?")
        await until(lambda: len(tutor.brought) == 1, within_s=30)
        await seen.write("How long may I stay?")
        await until(lambda: len(tutor.brought) == 2, within_s=30)
        assert users.refreshed == ["vvr_1", "vvr_2"], "each refresh token works once"
        for token in tutor.brought:
            assert (await seen.house.authority.verifier.verify(token)).user_id == "usr_test"
        assert seen.watched.complaints == []


async def test_a_cut_wire_is_mended_and_the_call_goes_on(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        page, tutor = seen.page, seen.tutor
        await seen.start()
        await seen.write("Cut the wire")
        await until(lambda: bool(tutor.resumed), within_s=30)
        assert [token for token, _ in tutor.resumed] == ["ses_1.cnv_1"]
        await expect(line(page, STORY)).to_be_visible()
        await expect(line(page, OPENER)).to_be_visible()
        assert [text for _, text in tutor.written] == ["Cut the wire"] * 2, "what the cut swallowed was sent again"
        assert len({request_id for request_id, _ in tutor.written}) == 1, "so that it is taken once"
        assert tutor.gaps == 0, "no sound of the learner was lost or sent twice"


async def test_what_is_said_before_the_session_is_ready_is_not_lost(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        seen.tutor.ready_after_s = 2.0
        await seen.start()
        await until(lambda: len(seen.tutor.heard) > 0, within_s=20)
        waited = seen.tutor.started_at + 2.0
        await until(lambda: len(seen.tutor.heard) / 2 / seen.tutor.rate > 2.0, within_s=20)
        assert asyncio.get_running_loop().time() < waited + 1.5, "sound of the wait came at once"
        assert seen.tutor.gaps == 0


async def test_where_little_is_asked_for_sound_is_opus_both_ways(browser: Browser, house: House) -> None:
    async with visit(browser, house, script=LITTLE) as seen:
        tutor = seen.tutor
        await seen.start()
        await until(lambda: tutor.played.get("rep_1", [0])[-1] == REPLY_HZ, within_s=30)
        await until(lambda: len(tutor.heard) > 2 * tutor.rate, within_s=20)
        assert tutor.encodings == [audio_pb.AUDIO_ENCODING_OPUS]
        assert tutor.gaps == 0
        assert loudest(tutor.heard) > 2000
        assert seen.watched.complaints == []


async def test_where_sound_waits_to_leave_the_call_goes_on_in_opus(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        tutor = seen.tutor
        await seen.start()
        await seen.page.evaluate(SHORT)
        await until(lambda: len(tutor.encodings) == 2, within_s=30)
        heard = len(tutor.heard)
        await until(lambda: len(tutor.heard) > heard + tutor.rate, within_s=20)
        assert tutor.encodings == [audio_pb.AUDIO_ENCODING_PCM_S16LE, audio_pb.AUDIO_ENCODING_OPUS]
        assert tutor.gaps == 0


async def test_the_controls_stay_in_sight(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.start()
        for width, height in ((1200, 420), PHONE):
            await seen.page.set_viewport_size({"width": width, "height": height})
            for name in ("Mute", "Stop the tutor", "End"):
                await expect(seen.page.get_by_role("button", name=name, exact=True)).to_be_in_viewport(ratio=1)
            await expect(seen.page.get_by_label("Write instead")).to_be_in_viewport(ratio=1)
            overflow = await seen.page.evaluate("document.documentElement.scrollHeight - window.innerHeight")
            assert overflow <= 0, "nothing but the lines scrolls"


async def test_whatever_is_wrong_with_the_microphone_is_told_and_the_call_goes_on_in_writing(
    browser: Browser, house: House
) -> None:
    async with visit(browser, house, heard=False) as seen:
        await seen.start()
        alert = seen.page.get_by_role("alert")
        await expect(alert).to_contain_text("The microphone is blocked")
        for fault, told in (
            ("NotFoundError", "There is no microphone"),
            ("NotReadableError", "Another program holds the microphone"),
        ):
            await seen.page.evaluate(REFUSES_MICROPHONE, fault)
            await alert.get_by_role("button", name="Try again").click()
            await expect(alert).to_contain_text(told)
        await seen.write("Hello")
        await expect(line(seen.page, STORY)).to_be_visible()


async def test_a_microphone_that_is_pulled_out_is_told_and_taken_again(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.page.evaluate(KEEPS_TRACKS)
        await seen.start()
        await seen.page.evaluate("pullOut()")
        await expect(seen.page.get_by_role("alert")).to_contain_text("The microphone was unplugged")
        await seen.page.evaluate("plugIn()")
        await seen.page.get_by_role("button", name="Try again").click()
        await expect(seen.page.get_by_role("alert")).to_be_hidden()
        heard = len(seen.tutor.heard)
        await until(lambda: len(seen.tutor.heard) > heard + seen.tutor.rate, within_s=20)
        assert seen.tutor.gaps == 0


async def test_another_microphone_is_taken_during_the_call(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        page = seen.page
        await seen.start()
        await page.get_by_role("button", name="Call settings").click()
        microphones = page.get_by_label("Microphone", exact=True)
        await expect(microphones.get_by_role("option")).not_to_have_count(1)
        await microphones.select_option(index=2)
        await page.get_by_label("Captions").select_option("Show everything at once")
        await page.keyboard.press("Escape")
        heard = len(seen.tutor.heard)
        await until(lambda: len(seen.tutor.heard) > heard + 2 * seen.tutor.rate, within_s=20)
        assert seen.tutor.gaps == 0
        assert seen.watched.complaints == []


async def test_with_push_to_talk_only_what_is_said_with_the_button_down_is_heard(
    browser: Browser, house: House
) -> None:
    async with visit(browser, house) as seen:
        page, tutor = seen.page, seen.tutor
        await seen.start()
        await page.get_by_role("button", name="Call settings").click()
        await page.get_by_role("switch", name="Hold a button to talk").click()
        await page.keyboard.press("Escape")
        await until(lambda: bool(tutor.settings[-1].turn_taking), within_s=10)
        assert tutor.settings[-1].turn_taking == settings_pb.TURN_TAKING_PUSH_TO_TALK
        # Closing gives the focus back to the button, where the space bar means another thing.
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await expect(page.get_by_role("button", name="Call settings")).to_be_focused()
        await until(lambda: loudest(tutor.heard[-tutor.rate // 5 :]) == 0, within_s=20)
        await page.locator("section[aria-label='What was said']").focus()
        await page.keyboard.down(" ")
        await until(lambda: loudest(tutor.heard[-tutor.rate // 5 :]) > 2000, within_s=20)
        assert tutor.commits == 0
        await page.keyboard.up(" ")
        await until(lambda: tutor.commits == 1, within_s=10)


async def test_the_call_is_used_by_keyboard_alone(browser: Browser, house: House) -> None:
    async with visit(browser, house, path="/talk/cafe") as seen:
        page, tutor = seen.page, seen.tutor
        await expect(page.get_by_role("button", name="Start talking")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(line(page, OPENER)).to_be_visible()
        await page.keyboard.press("m")
        await expect(page.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
        await page.keyboard.press("h")
        await until(lambda: tutor.holds == [True], within_s=10)
        await page.keyboard.press("r")
        await until(lambda: tutor.repeats == [("rep_1", 0.75)], within_s=10)
        await page.keyboard.press("t")
        await page.keyboard.type("hm")
        await expect(page.get_by_label("Write instead")).to_have_value("hm")
        assert tutor.holds == [True], "what is typed is no key of the call"


async def test_the_screen_stays_on_until_the_call_is_over(browser: Browser, house: House) -> None:
    async with visit(browser, house, script=KEEPS_AWAKE) as seen:
        await seen.start()
        await seen.page.wait_for_function("() => awake === 1")
        await seen.page.get_by_role("button", name="End", exact=True).click()
        await seen.page.wait_for_function("() => awake === 0")


async def test_a_line_is_said_again_in_its_own_place(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.start()
        await until(lambda: seen.tutor.played.get("rep_1", [0])[-1] == REPLY_HZ, within_s=30)
        await line(seen.page, OPENER).get_by_role("button", name="Play it slowly").click()
        await until(lambda: "rep_2" in seen.tutor.played, within_s=20)
        assert seen.tutor.repeats == [("rep_1", 0.75)]
        await expect(seen.page.get_by_role("listitem").filter(has_text=OPENER)).to_have_count(1)


async def test_the_chip_tells_where_the_time_went_in_words(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.start()
        await seen.write("Hello")
        await seen.page.get_by_role("button", name="answered in 512 ms").click()
        ledger = seen.page.get_by_role("dialog")
        await expect(ledger).to_contain_text("Thinking of an answer")
        await expect(ledger).to_contain_text("dreaming", timeout=1000)


async def test_a_server_without_a_place_says_so_and_lets_one_try_again(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        seen.tutor.full = True
        await seen.page.get_by_role("link", name="Ordering in a café").click()
        await seen.page.get_by_role("button", name="Start talking").click()
        await expect(seen.page.get_by_role("heading", name="The server is full")).to_be_visible()
        seen.tutor.full = False
        await seen.page.get_by_role("button", name="Try again").click()
        await expect(line(seen.page, OPENER)).to_be_visible()


async def test_a_socket_without_a_place_is_told_as_such_though_browsers_do_not_say_why(
    browser: Browser, house: House
) -> None:
    async with visit(browser, house) as seen:
        await seen.page.evaluate(REFUSES_SOCKETS)
        await seen.page.get_by_role("link", name="Ordering in a café").click()
        await seen.page.get_by_role("button", name="Start talking").click()
        await expect(seen.page.get_by_role("heading", name="The server is full")).to_be_visible()


async def test_whoever_was_logged_out_elsewhere_is_led_to_the_login(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.start()
        seen.house.users.ended = True
        await seen.write("Log me out")
        await expect(seen.page.get_by_role("heading", name="You are logged out")).to_be_visible(timeout=10_000)
        await expect(seen.page.get_by_role("main").get_by_role("link", name="Log in")).to_be_visible()


async def test_a_server_that_is_gone_is_told_after_some_tries(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.start()
        await seen.page.clock.install()
        await seen.page.evaluate(REFUSES_SOCKETS)
        await seen.write("Cut the wire")
        await expect(seen.page.get_by_text("The connection is lost; trying again")).to_be_visible()
        gone = seen.page.get_by_role("heading", name="The server is gone")
        while not await gone.is_visible():
            await seen.page.clock.fast_forward(5000)


async def test_a_page_that_slept_finds_out_that_its_wire_is_dead(browser: Browser, house: House) -> None:
    async with visit(browser, house) as seen:
        await seen.start()
        await expect(seen.page.get_by_text("Listening", exact=True)).to_be_visible()
        seen.tutor.deaf = True
        await seen.page.clock.install()
        await seen.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await seen.page.clock.fast_forward(5000)
        await until(lambda: bool(seen.tutor.resumed), within_s=30)


def loudest(pcm: bytes | bytearray) -> int:
    """The loudest sample."""
    even = bytes(pcm[: len(pcm) // 2 * 2])
    return max(map(abs, struct.unpack(f"<{len(even) // 2}h", even)), default=0)

"""The talking page in real Chromium, with a WAV as its microphone, before a tutor that follows a script."""

import asyncio
import math
import shutil
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import ConsoleMessage, Page, Request, async_playwright, expect
from vivavoce.conversation.v1 import conversation_service_pb2 as conversation_pb
from vivavoce.conversation.v1 import converse_pb2 as converse_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.errors import UnavailableError
from mesh.testing import until
from tests.edge.conftest import House, Session, open_house

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

REPLY_HZ = 24_000
TONE_HZ = 440
OPENER = "Good morning! What would you like?"


@dataclass
class Tutor:
    """Opens with a second of sound, answers text with ten seconds, and notes what it is told."""

    rate: int = 0
    heard: bytearray = field(default_factory=bytearray)
    gaps: int = 0
    played: dict[str, list[int]] = field(default_factory=dict)
    resumed: list[tuple[str, int]] = field(default_factory=list)
    brought: list[str] = field(default_factory=list)
    _count: int = 0

    async def talk(self, session: Session) -> None:
        async for request in session:
            match request.WhichOneof("event"):
                case "start_session":
                    self.rate = request.start_session.input_audio.sample_rate_hz
                    resume = request.start_session.resume
                    self.resumed += [(resume.resume_token, resume.last_sequence)] if resume.resume_token else []
                    started = converse_pb.SessionStarted(
                        session_id="ses_1",
                        engine_labels=["A scripted tutor."],
                        resume_token="ses_1.cnv_1",
                        resumed=bool(resume.resume_token),
                        next_input_sample=len(self.heard) // 2,
                    )
                    await session.send(conversation_pb.ConverseResponse(session_started=started))
                    if not resume.resume_token:
                        await self._reply(session, OPENER, 1)
                case "append_audio":
                    self.gaps += request.append_audio.first_sample != len(self.heard) // 2
                    self.heard += request.append_audio.pcm
                case "submit_text" if request.submit_text.text == "Cut the wire":
                    raise UnavailableError("The conversation service is gone.")
                case "submit_text" if request.submit_text.text == "How long may I stay?":
                    expiring = converse_pb.AccessExpiring()
                    expiring.time_left.FromSeconds(60)
                    await session.send(conversation_pb.ConverseResponse(access_expiring=expiring))
                case "refresh_access":
                    self.brought.append(request.refresh_access.access_token)
                case "submit_text":
                    committed = converse_pb.TurnCommitted(turn_id="trn_1", text=request.submit_text.text, typed=True)
                    await session.send(conversation_pb.ConverseResponse(turn_committed=committed))
                    await self._remark(session)
                    await self._reply(session, "That is a very long story, which goes on and on.", 10)
                case "report_played":
                    report = request.report_played
                    self.played.setdefault(report.reply_id, []).append(report.samples)
                    if report.samples == REPLY_HZ and report.reply_id == "rep_1":
                        finished = converse_pb.ReplyFinished(
                            reply_id="rep_1", outcome=converse_pb.REPLY_OUTCOME_HEARD, heard_text=OPENER
                        )
                        await session.send(conversation_pb.ConverseResponse(reply_finished=finished))
                case "cancel_reply":
                    finished = converse_pb.ReplyFinished(
                        reply_id=f"rep_{self._count}",
                        outcome=converse_pb.REPLY_OUTCOME_INTERRUPTED,
                        heard_text="That is a very",
                    )
                    await session.send(conversation_pb.ConverseResponse(reply_finished=finished))
                case "end_session":
                    ended = converse_pb.SessionEnded(turn_count=1)
                    await session.send(conversation_pb.ConverseResponse(session_ended=ended))
                    return
                case _:
                    pass

    async def _reply(self, session: Session, text: str, seconds: int) -> None:
        self._count += 1
        name = f"rep_{self._count}"
        started = converse_pb.ReplyStarted(reply_id=name)
        await session.send(conversation_pb.ConverseResponse(reply_started=started))
        said = converse_pb.ReplyText(reply_id=name, text=text)
        await session.send(conversation_pb.ConverseResponse(reply_text=said))
        for first in range(0, seconds * REPLY_HZ, 2400):
            sound = converse_pb.ReplyAudio(reply_id=name, first_sample=first, pcm=tone(first, 2400, REPLY_HZ))
            await session.send(conversation_pb.ConverseResponse(reply_audio=sound))
        ended = converse_pb.ReplyAudioEnded(reply_id=name, total_samples=seconds * REPLY_HZ)
        await session.send(conversation_pb.ConverseResponse(reply_audio_ended=ended))

    async def _remark(self, session: Session) -> None:
        slip = feedback_pb.Correction(said="I wants tea", better="I want tea", explanation="I takes no -s.")
        given = converse_pb.FeedbackGiven(turn_id="trn_1", correction=slip)
        await session.send(conversation_pb.ConverseResponse(feedback_given=given))
        fluency = feedback_pb.Fluency(words_per_minute=96.4, pause_count=2)
        paced = converse_pb.FeedbackGiven(turn_id="trn_1", remark=feedback_pb.Remark(fluency=fluency))
        await session.send(conversation_pb.ConverseResponse(feedback_given=paced))
        measured = conversation_pb.ConverseResponse()
        measured.reply_measured.ledger.total_ms = 512
        measured.reply_measured.ledger.stages.add(name="model", duration_ms=500)
        await session.send(measured)
        progressed = conversation_pb.ConverseResponse()
        progressed.scenario_progressed.progress.reached_goal_ids.append("greet")
        await session.send(progressed)


def tone(first: int, count: int, rate: int) -> bytes:
    wave_of = (8000 * math.sin(2 * math.pi * TONE_HZ * (first + index) / rate) for index in range(count))
    return struct.pack(f"<{count}h", *map(int, wave_of))


@dataclass
class Visit:
    """An open page, and what went wrong on it."""

    house: House
    page: Page
    tutor: Tutor
    complaints: list[str]
    hosts: set[str]


@asynccontextmanager
async def visit(folder: Path, *flags: str, path: str = "/") -> AsyncIterator[Visit]:
    """Opens the page in Chromium with a tone as microphone."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        if shutil.which("apt-get") is None:
            pytest.skip("there is neither Chromium here nor apt-get, which would install it")
        pytest.fail("Chromium is missing; install it by `make browser` as root, or `sudo apt-get install chromium`.")
    microphone = folder / "microphone.wav"
    with wave.open(str(microphone), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(tone(0, 48_000 * 2, 48_000))
    given = [
        "--no-sandbox",
        "--autoplay-policy=no-user-gesture-required",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={microphone}",
        *(flags or ("--use-fake-ui-for-media-stream",)),
    ]
    complaints: list[str] = []
    hosts: set[str] = set()

    def complain(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def note(request: Request) -> None:
        hosts.add(request.url.split("/")[2])

    tutor = Tutor()
    async with open_house(whole=True) as house, async_playwright() as playwright:
        house.conversations.script = tutor.talk
        browser = await playwright.chromium.launch(executable_path=chromium, args=given)
        try:
            page = await browser.new_page(viewport={"width": 1200, "height": 760})
            page.on("console", complain)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("request", note)
            await page.goto(f"{house.edge.url}{path}")
            yield Visit(house, page, tutor, complaints, hosts)
        finally:
            await browser.close()


async def test_a_guest_talks_is_heard_interrupts_and_leaves(tmp_path: Path) -> None:
    async with visit(tmp_path) as seen:
        page, tutor = seen.page, seen.tutor
        await expect(page.get_by_text("Ordering in a café")).to_be_visible()
        await page.screenshot(path=tmp_path / "welcome.png")
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_text(OPENER)).to_be_visible()
        await expect(page.get_by_text("A scripted tutor.")).to_be_visible()
        await page.wait_for_timeout(1500)
        assert tutor.played["rep_1"][-1] == REPLY_HZ, "the opener was played to its last sample"

        await page.get_by_placeholder("Or write").fill("I wants tea")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("answered in 512 ms")).to_be_visible()
        await expect(page.locator("#slips")).to_contain_text("I want tea")
        await expect(page.locator("#slips")).to_contain_text("96 words a minute · 2 pauses")
        await expect(page.locator("#goals .reached")).to_have_text("Greet")
        await page.wait_for_timeout(700)
        await page.screenshot(path=tmp_path / "call.png")
        await page.get_by_role("button", name="Stop the tutor").click()
        await expect(page.locator("#lines .unheard")).to_contain_text("long story")
        reports = tutor.played["rep_2"]
        assert reports == sorted(reports)
        assert 0.3 * REPLY_HZ < reports[-1] < 5 * REPLY_HZ, "it stopped where it was interrupted"

        await page.get_by_role("button", name="End").click()
        await expect(page.get_by_text("The conversation is over")).to_be_visible()
        await asyncio.wait_for(seen.house.conversations.ended.wait(), 5)

        assert tutor.rate in (44_100, 48_000)
        assert tutor.gaps == 0, "every position follows the one before"
        assert len(tutor.heard) > tutor.rate * 2, "more than a second of the microphone was heard"
        assert max(struct.unpack(f"<{len(tutor.heard) // 2}h", tutor.heard)) > 2000, "and it is not silence"
        assert seen.complaints == []
        assert seen.hosts == {f"127.0.0.1:{seen.house.edge.port}"}


async def test_the_page_brings_a_fresh_access_token_before_the_old_one_expires(tmp_path: Path) -> None:
    async with visit(tmp_path) as seen:
        page, tutor, users = seen.page, seen.tutor, seen.house.users
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_text(OPENER)).to_be_visible()
        await page.get_by_placeholder("Or write").fill("How long may I stay?")
        await page.keyboard.press("Enter")
        await until(lambda: len(tutor.brought) == 1, within_s=30)
        await page.get_by_placeholder("Or write").fill("How long may I stay?")
        await page.keyboard.press("Enter")
        await until(lambda: len(tutor.brought) == 2, within_s=30)
        assert users.refreshed == ["vvr_1", "vvr_2"], "each refresh token works once"
        for token in tutor.brought:
            assert (await seen.house.authority.verifier.verify(token)).user_id == "usr_test"
        assert seen.complaints == []


async def test_a_cut_wire_is_mended_and_the_call_goes_on(tmp_path: Path) -> None:
    async with visit(tmp_path) as seen:
        page, tutor = seen.page, seen.tutor
        await page.get_by_role("button", name="Start talking").click()
        await expect(page.get_by_text(OPENER)).to_be_visible()
        await page.get_by_placeholder("Or write").fill("Cut the wire")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("The connection is lost; trying again")).to_be_visible()
        await expect(page.locator("#state-text")).to_have_text("Listening", timeout=10_000)
        assert [token for token, _ in tutor.resumed] == ["ses_1.cnv_1"]
        await page.get_by_placeholder("Or write").fill("Here I am")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("That is a very long story")).to_be_visible()
        await expect(page.get_by_text(OPENER)).to_be_visible()
        assert tutor.gaps == 0, "no sound of the learner was lost or sent twice"


@pytest.mark.parametrize("size", [(1200, 420), (390, 800)], ids=["desktop", "phone"])
async def test_the_controls_stay_in_sight(tmp_path: Path, size: tuple[int, int]) -> None:
    async with visit(tmp_path) as seen:
        await seen.page.set_viewport_size({"width": size[0], "height": size[1]})
        await seen.page.get_by_role("button", name="Start talking").click()
        await expect(seen.page.get_by_text(OPENER)).to_be_visible()
        for name in ("Mute", "Stop the tutor", "End"):
            await expect(seen.page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)


async def test_without_a_microphone_the_call_goes_on_in_writing(tmp_path: Path) -> None:
    async with visit(tmp_path, "--deny-permission-prompts") as seen:
        await seen.page.get_by_role("button", name="Start talking").click()
        await expect(seen.page.get_by_role("alert")).to_contain_text("write instead")
        await expect(seen.page.get_by_text(OPENER)).to_be_visible()
        await seen.page.get_by_placeholder("Or write").fill("Hello")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_text("That is a very long story")).to_be_visible()


async def test_the_guest_link_signs_in_by_itself(tmp_path: Path) -> None:
    async with visit(tmp_path, path="/#guest") as seen:
        await expect(seen.page.locator("#who")).to_have_text("Guest")


async def test_a_mailed_link_confirms_the_address_and_leaves_the_address_bar(tmp_path: Path) -> None:
    async with visit(tmp_path, path="/#verify=tok-1_a") as seen:
        await expect(seen.page.get_by_role("alert")).to_contain_text("your address is confirmed")
        assert seen.house.users.verified == ["tok-1_a"]
        assert seen.page.url == f"{seen.house.edge.url}/"


async def test_a_mailed_link_sets_a_new_password_and_says_what_is_wrong_with_one(tmp_path: Path) -> None:
    async with visit(tmp_path, path="/#reset=tok-2") as seen:
        page, field = seen.page, seen.page.get_by_label("At least 12 characters")
        await expect(field).to_be_focused()
        await field.fill("password1234")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("stolen elsewhere")
        await page.screenshot(path=tmp_path / "reset.png")
        await field.fill("a sentence nobody guesses")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("Your password is changed")
        await expect(field).to_be_hidden()
        assert seen.house.users.reset == [("tok-2", "a sentence nobody guesses")]


async def test_the_page_is_used_by_keyboard_alone(tmp_path: Path) -> None:
    async with visit(tmp_path) as seen:
        await expect(seen.page.get_by_role("button", name="Start talking")).to_be_focused()
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.get_by_text("Good morning!")).to_be_visible()
        await seen.page.keyboard.press("m")
        await expect(seen.page.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")

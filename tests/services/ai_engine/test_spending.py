"""What paid providers cost: set aside before, booked after, refused where the budget is used up."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from grpc.aio import ServicerContext
from vivavoce.user.v1 import user_service_pb2 as user_pb
from vivavoce.user.v1 import user_service_pb2_grpc as user_grpc

from mesh.channel import open_channel
from mesh.clock import SystemClock, VirtualClock
from mesh.errors import ExhaustedError, InvalidFieldError, UnavailableError
from mesh.server import Service
from mesh.settings import load
from mesh.testing import new_authority, serve, until
from services.ai_engine.adapters.paid import PaidModel, Purse, paid_recognizer, paid_synthesizer
from services.ai_engine.budget import UserSpending, open_spending
from services.ai_engine.domain.roles import LanguageModel, StreamingSynthesizer, TextDelta, TokensUsed
from services.ai_engine.domain.run import ProviderCost
from services.ai_engine.domain.spending import Amount, Price, PriceList, Used
from services.ai_engine.prices import read_prices
from services.ai_engine.settings import Settings
from services.ai_engine.vendors import DeepgramSettings, ElevenLabsSettings, OpenAiSpeechSettings
from tests.services.ai_engine.scripted import ScriptedModel, ScriptedRecognizer, ScriptedVoice
from tests.services.ai_engine.test_failover import CONTEXT, BrokenLine, Elsewhere, told

DAY = date(2026, 11, 27)
LIST = PriceList(
    "USD",
    (
        Price("scripted", "", date(2026, 1, 1), {"input_tokens": 1.0, "output_tokens": 4.0, "characters": 10.0}),
        Price("scripted", "", date(2026, 6, 1), {"input_tokens": 2.0, "output_tokens": 8.0, "characters": 10.0}),
        Price("scripted", "big", date(2026, 1, 1), {"input_tokens": 100.0, "audio_seconds": 50.0}),
    ),
)


@dataclass
class Book:
    """Budgets as a list of what happened (Spending)."""

    full: bool = False
    reserved: list[Amount] = field(default_factory=list)
    settled: list[tuple[str, Amount]] = field(default_factory=list)

    async def reserve(self, user_id: str, most: Amount) -> str:
        if self.full:
            raise ExhaustedError("Used up; wait for tomorrow.", reason="BUDGET_EXHAUSTED")
        self.reserved.append(most)
        return f"res_{len(self.reserved)}"

    def settle(self, reservation_id: str, used: Amount) -> None:
        self.settled.append((reservation_id, used))


def purse(book: Book | None) -> Purse:
    return Purse("usr_1", book, LIST, VirtualClock())


def test_the_newest_price_in_force_for_the_longest_name_counts() -> None:
    used = Used(input_tokens=1000, output_tokens=100)
    assert LIST.cost_micros("scripted", "", used, date(2026, 5, 31)) == 1400
    assert LIST.cost_micros("scripted", "small", used, DAY) == 2800
    assert LIST.cost_micros("scripted", "big-2", Used(input_tokens=1000), DAY) == 100_000


@pytest.mark.parametrize(
    ("provider", "model", "used", "day"),
    [
        ("other", "", Used(input_tokens=1), DAY),
        ("scripted", "", Used(input_tokens=1), date(2025, 1, 1)),
        ("scripted", "big-2", Used(input_tokens=1, output_tokens=1), DAY),
    ],
)
def test_what_has_no_price_is_unknown_and_not_free(provider: str, model: str, used: Used, day: date) -> None:
    assert LIST.cost_micros(provider, model, used, day) is None


def test_the_price_list_that_comes_with_us_is_one_and_is_dated() -> None:
    prices = read_prices()
    assert prices.currency == "USD"
    assert all(price.since <= DAY for price in prices.prices)
    assert all(price.source.startswith("https://") for price in prices.prices)
    million = Used(input_tokens=1_000_000, output_tokens=1_000_000)
    assert prices.cost_micros("anthropic", "claude-haiku-4-5-20251001", million, DAY) == 6_000_000
    assert prices.cost_micros("deepgram", "nova-3", Used(audio_seconds=60), DAY) == 7700
    assert prices.cost_micros("elevenlabs", "eleven_flash_v2_5", Used(characters=1000), DAY) == 50_000


def test_every_vendor_has_a_price_in_every_role_with_the_models_it_has_by_default() -> None:
    settings = load(Settings), load(DeepgramSettings), load(ElevenLabsSettings), load(OpenAiSpeechSettings)
    ai, deepgram, elevenlabs, openai = settings
    heard, spoken = Used(audio_seconds=10), Used(characters=100)
    written = Used(input_tokens=10, output_tokens=10)
    talked = Used(10, 10, 10, 10)
    uses = [
        ("anthropic", ai.anthropic_model, written), ("openai", ai.openai_model, written),
        ("openai", openai.transcription_model, heard), ("openai", openai.speech_model, spoken),
        ("openai_realtime", openai.realtime_transcription_model, heard), ("openai_realtime", ai.realtime_model, talked),
        ("azure_voice_live", ai.voice_live_model, talked), ("azure", "", heard), ("azure", "", spoken),
        ("deepgram", deepgram.model, heard), ("deepgram", deepgram.voices[0], spoken),
        ("deepgram_flux", deepgram.flux_model, heard), ("elevenlabs", elevenlabs.recognizer_model, heard),
        ("elevenlabs", elevenlabs.model, spoken),
    ]  # fmt: skip
    prices = read_prices()
    assert [use for use in uses if not prices.cost_micros(*use, DAY)] == []


def test_a_price_list_that_is_none_says_what_is_wrong(tmp_path: Path) -> None:
    wrong = tmp_path / "prices.yaml"
    wrong.write_text("currency: EUR\nprices:\n  - {provider: x, since: 2026-01-01, per_million: {pages: 1}}\n")
    with pytest.raises(InvalidFieldError, match="pages is not a unit of per_million"):
        read_prices(wrong)


async def test_an_answer_is_reserved_before_and_settled_after_with_what_it_took() -> None:
    book = Book()
    spent = purse(book)
    model = PaidModel(ScriptedModel("Hello there.", TokensUsed(1000, 100)), spent)
    parts = [part async for part in model.reply(CONTEXT)]
    assert parts[0] == TextDelta("Hello there.")
    assert book.reserved[0].money_micros > 0
    assert book.settled == [("res_1", Amount(model_tokens=1100, money_micros=2800))]
    assert (spent.take_costs(), spent.take_costs()) == ((ProviderCost("scripted", 2800),), ())


async def test_an_answer_that_is_cut_short_is_settled_by_estimate() -> None:
    book = Book()
    reply = PaidModel(ScriptedModel("A long story of forty letters, or so it is.", pause=1), purse(book)).reply(CONTEXT)
    async with aclosing(reply):
        await anext(reply)
    ((_, used),) = book.settled
    assert 0 < used.model_tokens < book.reserved[0].model_tokens


async def test_nothing_is_asked_of_a_provider_whose_budget_is_used_up() -> None:
    model = ScriptedModel("Hello.")
    with pytest.raises(ExhaustedError) as refused:
        _ = [part async for part in PaidModel(model, purse(Book(full=True))).reply(CONTEXT)]
    assert refused.value.reason == "BUDGET_EXHAUSTED"
    assert model.contexts == []


async def test_a_local_model_answers_where_the_budget_is_used_up() -> None:
    paid: LanguageModel = PaidModel(Elsewhere("Paid."), purse(Book(full=True)))
    assert await told(paid, ScriptedModel("Free.")) == "Free."


async def test_speech_is_paid_by_the_letter_and_hearing_by_the_second() -> None:
    book = Book()
    spent = purse(book)
    voice = paid_synthesizer(ScriptedVoice(), spent)
    assert not isinstance(voice, StreamingSynthesizer)
    _ = [chunk async for chunk in voice.synthesize("Hello there.")]
    assert book.settled[-1] == ("res_1", Amount(spoken_characters=12, money_micros=120))
    assert spent.take_costs() == (ProviderCost("scripted", 120),)
    await paid_recognizer(ScriptedRecognizer(), spent).recognize(bytes(64_000), language="en")
    assert book.settled[-1] == ("res_2", Amount(audio_seconds=2))
    assert spent.take_costs() == (ProviderCost("scripted", 0, unknown=True),)


async def test_a_reply_over_one_connection_is_settled_as_a_whole() -> None:
    book = Book()
    voice = paid_synthesizer(BrokenLine(), purse(book))
    assert isinstance(voice, StreamingSynthesizer)
    async with voice.speak() as reply:
        for clause in ("One two.", "Three."):
            _ = [chunk async for chunk in reply.say(clause)]
    assert [used.spoken_characters for _, used in book.settled] == [len("One two.") + len("Three.")]


class Budgets(user_grpc.UserServiceServicer):
    """The budgets of a user service."""

    def __init__(self) -> None:
        self.settled: list[user_pb.SettleBudgetRequest] = []

    async def ReserveBudget(
        self, request: user_pb.ReserveBudgetRequest, context: ServicerContext[object, object]
    ) -> user_pb.ReserveBudgetResponse:
        if request.amount.money_micros_day > 1000:
            raise ExhaustedError("Used up; wait for tomorrow.", reason="BUDGET_EXHAUSTED")
        return user_pb.ReserveBudgetResponse(reservation_id="res_1")

    async def SettleBudget(
        self, request: user_pb.SettleBudgetRequest, context: ServicerContext[object, object]
    ) -> user_pb.SettleBudgetResponse:
        self.settled.append(request)
        return user_pb.SettleBudgetResponse()


@asynccontextmanager
async def spending_at(address: str, authority_metadata: tuple[tuple[str, str], ...]) -> AsyncIterator[UserSpending]:
    async with open_channel(address) as channel:
        stub = user_grpc.UserServiceStub(channel)
        async with open_spending(stub, lambda: authority_metadata, grace_micros=500, clock=SystemClock()) as spending:
            yield spending


async def test_budgets_are_those_of_the_user_service() -> None:
    authority = new_authority()
    budgets = Budgets()  # type: ignore[abstract]  # Only what is asked of it.
    name = user_pb.DESCRIPTOR.services_by_name["UserService"].full_name
    service = Service(name, lambda server: user_grpc.add_UserServiceServicer_to_server(budgets, server))
    async with (
        serve([service], authority) as server,
        spending_at(server.address, authority.service_metadata("ai_engine")) as spending,
    ):
        reservation = await spending.reserve("usr_1", Amount(model_tokens=10, money_micros=100))
        spending.settle(reservation, Amount(model_tokens=7, money_micros=70))
        await until(lambda: bool(budgets.settled))
        with pytest.raises(ExhaustedError) as refused:
            await spending.reserve("usr_1", Amount(money_micros=2000))
    assert refused.value.reason == "BUDGET_EXHAUSTED"
    (booked,) = budgets.settled
    assert (booked.reservation_id, booked.amount.model_tokens, booked.amount.money_micros_day) == ("res_1", 7, 70)


async def test_while_budgets_can_t_be_asked_each_person_has_a_grace_and_no_more() -> None:
    async with spending_at("127.0.0.1:9", ()) as spending:
        assert await spending.reserve("usr_1", Amount(money_micros=300)) == ""
        with pytest.raises(UnavailableError):
            await spending.reserve("usr_1", Amount(money_micros=300))
        assert await spending.reserve("usr_2", Amount(money_micros=300)) == ""

"""Words, slips, remarks, progress, failures, usage, ledgers and choices, from the contract and back."""

from collections.abc import Iterable

from google.protobuf.json_format import MessageToJson, Parse
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.conversation.v1 import conversation_pb2 as conversation_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb
from vivavoce.type.v1 import learner_pb2 as learner_pb
from vivavoce.type.v1 import ledger_pb2 as ledger_pb

from services.conversation.domain.choices import (
    Choices,
    CorrectionStyle,
    EngineChoice,
    EngineKind,
    Initiative,
    Level,
    Patience,
    TurnTaking,
)
from services.conversation.domain.ledger import Ledger
from services.conversation.domain.things import (
    AttemptOutcome,
    Failure,
    Progress,
    ProviderAttempt,
    ProviderCost,
    ProviderRole,
    Remark,
    Slip,
    SlipKind,
    Usage,
    Word,
)


def to_words(words: Iterable[audio_pb.WordTime]) -> tuple[Word, ...]:
    """Word times as the domain has them."""
    return tuple(
        Word(
            w.text,
            w.start_sample,
            w.end_sample,
            w.confidence if w.HasField("confidence") else None,
            w.pronunciation if w.HasField("pronunciation") else None,
        )
        for w in words
    )


def from_words(words: Iterable[Word]) -> list[audio_pb.WordTime]:
    """Word times as the contract has them."""
    return [
        audio_pb.WordTime(
            text=w.text,
            start_sample=w.start_sample,
            end_sample=w.end_sample,
            confidence=w.confidence,
            pronunciation=w.pronunciation,
        )
        for w in words
    ]


def to_slip(correction: feedback_pb.Correction) -> Slip:
    """A slip as the domain has it."""
    return Slip(
        SlipKind(correction.kind),
        correction.said,
        correction.better,
        correction.explanation,
        correction.start,
        correction.end,
        correction.source,
    )


def from_slip(slip: Slip) -> feedback_pb.Correction:
    """A slip as the contract has it."""
    return feedback_pb.Correction(
        kind=feedback_pb.CorrectionKind.ValueType(slip.kind),
        said=slip.said,
        better=slip.better,
        explanation=slip.explanation,
        start=slip.start,
        end=slip.end,
        source=slip.source,
    )


def to_remark(remark: feedback_pb.Remark) -> Remark:
    """A remark as the domain has it."""
    return Remark(remark.WhichOneof("about") or "", MessageToJson(remark, indent=None))


def from_remark(remark: Remark) -> feedback_pb.Remark:
    """A remark as the contract has it; what a later version added is left out."""
    return Parse(remark.told, feedback_pb.Remark(), ignore_unknown_fields=True)


def to_progress(progress: feedback_pb.ScenarioProgress) -> Progress:
    """Progress as the domain has it."""
    return Progress(
        progress.scenario_id, tuple(progress.reached_goal_ids), progress.goal_count, finished=progress.finished
    )


def from_progress(progress: Progress) -> feedback_pb.ScenarioProgress:
    """Progress as the contract has it."""
    return feedback_pb.ScenarioProgress(
        scenario_id=progress.scenario_id,
        reached_goal_ids=progress.reached_goal_ids,
        goal_count=progress.goal_count,
        finished=progress.finished,
    )


def to_failure(failure: failure_pb.Failure) -> Failure:
    """A failure as the domain has it."""
    name = error_pb.ErrorReason.Name(failure.reason).removeprefix("ERROR_REASON_")
    return Failure(name, failure.message, failure.field, failure.retryable)


def from_failure(failure: Failure) -> failure_pb.Failure:
    """A failure as the contract has it."""
    return failure_pb.Failure(
        reason=error_pb.ErrorReason.Value(f"ERROR_REASON_{failure.reason}"),
        message=failure.message,
        field=failure.field,
        retryable=failure.retryable,
    )


def to_usage(usage: engine_pb.Usage) -> Usage:
    """What was used, as the domain has it."""
    return Usage(
        usage.input_tokens,
        usage.output_tokens,
        usage.input_audio_tokens,
        usage.output_audio_tokens,
        usage.spoken_characters,
        usage.recognized_ms,
        usage.cost_micros,
        tuple(ProviderCost(each.provider, each.cost_micros, each.unknown) for each in usage.provider_costs),
        tuple(map(_to_attempt, usage.provider_attempts)),
        usage.currency,
    )


def from_usage(usage: Usage) -> engine_pb.Usage:
    """What was used, as the contract has it."""
    return engine_pb.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        input_audio_tokens=usage.input_audio_tokens,
        output_audio_tokens=usage.output_audio_tokens,
        spoken_characters=usage.spoken_characters,
        recognized_ms=usage.recognized_ms,
        cost_micros=usage.cost_micros,
        provider_costs=[
            engine_pb.ProviderCost(provider=each.provider, cost_micros=each.cost_micros, unknown=each.unknown)
            for each in usage.provider_costs
        ],
        provider_attempts=map(_from_attempt, usage.provider_attempts),
        currency=usage.currency,
    )


def _to_attempt(attempt: engine_pb.ProviderAttempt) -> ProviderAttempt:
    return ProviderAttempt(
        attempt.provider,
        ProviderRole(attempt.role),
        AttemptOutcome(attempt.outcome),
        attempt.cause,
        attempt.first_ms if attempt.HasField("first_ms") else None,
        attempt.count,
    )


def _from_attempt(attempt: ProviderAttempt) -> engine_pb.ProviderAttempt:
    return engine_pb.ProviderAttempt(
        provider=attempt.provider,
        role=catalog_pb.ProviderRole.ValueType(attempt.role),
        outcome=engine_pb.AttemptOutcome.ValueType(attempt.outcome),
        cause=attempt.cause,
        first_ms=attempt.first_ms,
        count=attempt.count,
    )


def from_ledger(ledger: Ledger) -> ledger_pb.Ledger:
    """A ledger as the contract has it."""
    return ledger_pb.Ledger(
        total_ms=ledger.total_ms,
        stages=[ledger_pb.LedgerStage(name=stage.name, duration_ms=stage.duration_ms) for stage in ledger.stages],
        speculative=ledger.speculative,
    )


def to_choices(settings: conversation_pb.ConversationSettings) -> Choices:
    """Choices as the domain has them."""
    return Choices(
        scenario_id=settings.scenario_id,
        engine=to_engine(settings.engine),
        turn_taking=TurnTaking(settings.turn_taking),
        patience=Patience(settings.patience),
        correction_style=CorrectionStyle(settings.correction_style),
        level=Level(settings.level),
        target_language=settings.target_language,
        native_language=settings.native_language,
        record=settings.record,
        initiative=Initiative(settings.initiative),
    )


def from_choices(choices: Choices) -> conversation_pb.ConversationSettings:
    """Choices as the contract has them."""
    return conversation_pb.ConversationSettings(
        scenario_id=choices.scenario_id,
        engine=from_engine(choices.engine),
        turn_taking=conversation_pb.TurnTaking.ValueType(choices.turn_taking),
        patience=learner_pb.Patience.ValueType(choices.patience),
        correction_style=learner_pb.CorrectionStyle.ValueType(choices.correction_style),
        level=learner_pb.CefrLevel.ValueType(choices.level),
        target_language=choices.target_language,
        native_language=choices.native_language,
        record=choices.record,
        initiative=conversation_pb.TutorInitiative.ValueType(choices.initiative),
    )


def to_engine(engine: engine_pb.EngineSelection) -> EngineChoice:
    """Who hears, thinks and speaks, as the domain has it."""
    return EngineChoice(
        kind=EngineKind(engine.kind),
        recognizer=engine.recognizer,
        language_model=engine.language_model,
        synthesizer=engine.synthesizer,
        speech_to_speech=engine.speech_to_speech,
        voice=engine.voice,
        speaking_rate=engine.speaking_rate,
    )


def from_engine(engine: EngineChoice) -> engine_pb.EngineSelection:
    """Who hears, thinks and speaks, as the contract has it."""
    return engine_pb.EngineSelection(
        kind=engine_pb.EngineKind.ValueType(engine.kind),
        recognizer=engine.recognizer,
        language_model=engine.language_model,
        synthesizer=engine.synthesizer,
        speech_to_speech=engine.speech_to_speech,
        voice=engine.voice,
        speaking_rate=engine.speaking_rate,
    )

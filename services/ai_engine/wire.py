"""Translates between the contract's messages and the engine's commands and events."""

from typing import Final, assert_never

from vivavoce.ai_engine.v1 import ai_engine_service_pb2 as service_pb
from vivavoce.ai_engine.v1 import catalog_pb2 as catalog_pb
from vivavoce.ai_engine.v1 import engine_pb2 as engine_pb
from vivavoce.type.v1 import audio_pb2 as audio_pb
from vivavoce.type.v1 import error_pb2 as error_pb
from vivavoce.type.v1 import failure_pb2 as failure_pb
from vivavoce.type.v1 import feedback_pb2 as feedback_pb

from mesh.errors import InvalidFieldError, PreconditionError
from services.ai_engine.domain import roles, run
from services.ai_engine.registry import ProviderEntry
from services.ai_engine.wire_context import LEVELS, LEVELS_OUT, summary_message, tutor_context
from services.ai_engine.wire_feedback import correction, remark

_KINDS: Final[dict[run.EngineKind | None, engine_pb.EngineKind.ValueType]] = {
    None: engine_pb.ENGINE_KIND_UNSPECIFIED,
    "pipelined": engine_pb.ENGINE_KIND_PIPELINED,
    "unified": engine_pb.ENGINE_KIND_UNIFIED,
}
_KINDS_IN: Final = {number: kind for kind, number in _KINDS.items()}
_ENDS: Final[dict[run.ReplyEnd, engine_pb.ReplyEnd.ValueType]] = {
    "complete": engine_pb.REPLY_END_COMPLETE,
    "cancelled": engine_pb.REPLY_END_CANCELLED,
    "failed": engine_pb.REPLY_END_FAILED,
}
_ROLES: Final[dict[roles.ProviderRole, catalog_pb.ProviderRole.ValueType]] = {
    "recognizer": catalog_pb.PROVIDER_ROLE_RECOGNIZER,
    "language_model": catalog_pb.PROVIDER_ROLE_LANGUAGE_MODEL,
    "synthesizer": catalog_pb.PROVIDER_ROLE_SYNTHESIZER,
    "speech_to_speech": catalog_pb.PROVIDER_ROLE_SPEECH_TO_SPEECH,
}
_OUTCOMES: Final[dict[run.Outcome, engine_pb.AttemptOutcome.ValueType]] = {
    "answered": engine_pb.ATTEMPT_OUTCOME_ANSWERED,
    "failed": engine_pb.ATTEMPT_OUTCOME_FAILED,
    "abandoned": engine_pb.ATTEMPT_OUTCOME_ABANDONED,
}


def configure_from(request: service_pb.RunRequest) -> run.Configure:
    """The set-up a stream begins with.

    Raises PreconditionError STREAM_NOT_CONFIGURED for any other message, and InvalidFieldError for sound that is not
    PCM.
    """
    if request.WhichOneof("command") != "configure":
        raise PreconditionError("The first message of the stream must be `configure`.", reason="STREAM_NOT_CONFIGURED")
    message = request.configure
    chosen = message.engine
    return run.Configure(
        selection=run.Selection(
            kind=_KINDS_IN[chosen.kind],
            recognizer=chosen.recognizer,
            language_model=chosen.language_model,
            synthesizer=chosen.synthesizer,
            speech_to_speech=chosen.speech_to_speech,
            voice=chosen.voice,
            speaking_rate=chosen.speaking_rate or 1.0,
        ),
        input_rate_hz=_rate(message.input_audio, "configure.input_audio"),
        output_rate_hz=_rate(message.output_audio, "configure.output_audio"),
        language=message.target_language or "en",
        conversation_id=message.conversation_id,
        user_id=message.user_id,
    )


def command_from(request: service_pb.RunRequest) -> run.Command:
    """The command in a message after the first.

    Raises PreconditionError STREAM_ALREADY_CONFIGURED for a second set-up, InvalidFieldError for an empty message.
    """
    match request.WhichOneof("command"):
        case "append_audio":
            return run.AppendAudio(request.append_audio.first_sample, request.append_audio.pcm)
        case "recognize":
            asked = request.recognize
            return run.Recognize(asked.turn_id, asked.revision, asked.from_sample, asked.to_sample)
        case "respond":
            return _respond(request.respond)
        case "speak":
            return run.Speak(request.speak.reply_id, request.speak.text, request.speak.speaking_rate)
        case "cancel":
            return run.Cancel(request.cancel.reply_id)
        case "report_heard":
            return run.ReportHeard(
                request.report_heard.reply_id, request.report_heard.samples, request.report_heard.final
            )
        case "assess":
            return _assess(request.assess)
        case "configure":
            raise PreconditionError(
                "The stream is configured already; open another to change it.", reason="STREAM_ALREADY_CONFIGURED"
            )
        case None:
            raise InvalidFieldError("The message holds no command this server knows; set one.", field="command")
        case never:
            assert_never(never)


def response_of(event: run.Event) -> service_pb.RunResponse:
    """The message that carries an event."""
    response = service_pb.RunResponse()
    match event:
        case run.ReplyAudioProduced():
            # By far the most frequent: filled in place.
            produced = response.reply_audio_produced
            produced.reply_id, produced.first_sample, produced.pcm = event.reply_id, event.first_sample, event.pcm
            produced.words.extend(map(word_time, event.words))
        case run.ReplyTextProduced():
            response.reply_text_produced.reply_id, response.reply_text_produced.text = event.reply_id, event.text
        case run.SpeechStarted(at_sample):
            response.speech_started.at_sample = at_sample
            response.speech_started.SetInParent()
        case run.SpeechEnded(at_sample):
            response.speech_ended.at_sample = at_sample
            response.speech_ended.SetInParent()
        case run.TurnEndEstimated(at_sample, probability):
            response.turn_end_estimated.at_sample, response.turn_end_estimated.probability = at_sample, probability
            response.turn_end_estimated.SetInParent()
        case run.TranscriptRevised():
            response.transcript_revised.CopyFrom(_transcript(event))
        case run.ReplyFinished():
            response.reply_finished.CopyFrom(_finished(event))
        case run.CorrectionFound():
            response.correction_found.CopyFrom(correction(event))
        case run.RemarkFound():
            response.remark_found.CopyFrom(
                engine_pb.RemarkFound(turn_id=event.turn_id, revision=event.revision, remark=remark(event.remark))
            )
        case run.TalkSummarised(reply_id, summary):
            response.talk_summarised.CopyFrom(
                engine_pb.TalkSummarised(reply_id=reply_id, summary=summary_message(summary))
            )
        case run.ToolCalled(reply_id, name, arguments):
            response.tool_called.CopyFrom(engine_pb.ToolCalled(reply_id=reply_id, name=name, arguments_json=arguments))
        case run.EngineFailed():
            response.engine_failed.CopyFrom(
                engine_pb.EngineFailed(failure=_failure(event.failure), turn_id=event.turn_id, revision=event.revision)
            )
        case run.Configured():
            response.configured.CopyFrom(_configured(event))
        case never:
            assert_never(never)
    return response


def scenario(played: roles.Scenario) -> catalog_pb.Scenario:
    """A role-play as a message."""
    return catalog_pb.Scenario(
        id=played.id,
        title=played.title,
        level=LEVELS_OUT[played.level],
        language=played.language,
        summary=played.summary,
        tutor_role=played.tutor_role,
        learner_role=played.learner_role,
        goals=[catalog_pb.ScenarioGoal(id=goal.id, title=goal.title) for goal in played.goals],
        key_phrases=played.key_phrases,
    )


def provider(entry: ProviderEntry) -> catalog_pb.Provider:
    """A provider as people may choose it, as a message."""
    capabilities = entry.capabilities
    return catalog_pb.Provider(
        name=entry.name,
        role=_ROLES[entry.role],
        label=capabilities.label,
        local=capabilities.local,
        languages=sorted(capabilities.languages),
        voices=capabilities.voices,
        default=entry.default,
    )


def word_time(word: run.WordTime) -> audio_pb.WordTime:
    """A word's time as a message."""
    return audio_pb.WordTime(
        text=word.text,
        start_sample=word.start_sample,
        end_sample=word.end_sample,
        confidence=word.confidence,
        pronunciation=word.pronunciation,
    )


def pcm_format(rate_hz: int) -> audio_pb.AudioFormat:
    """The format of PCM at this rate."""
    return audio_pb.AudioFormat(encoding=audio_pb.AUDIO_ENCODING_PCM_S16LE, sample_rate_hz=rate_hz)


def _respond(message: engine_pb.Respond) -> run.Respond:
    return run.Respond(
        reply_id=message.reply_id,
        turn_id=message.turn_id,
        revision=message.revision,
        context=tutor_context(message.context, message.turn_text),
    )


def _assess(message: engine_pb.Assess) -> run.Assess:
    return run.Assess(
        turn_id=message.turn_id,
        revision=message.revision,
        text=message.text,
        words=tuple(map(_word, message.words)),
        from_sample=message.from_sample,
        to_sample=message.to_sample,
        language=message.language or "en",
        level=LEVELS.get(message.level),
    )


def _word(word: audio_pb.WordTime) -> run.WordTime:
    return run.WordTime(
        word.text,
        word.start_sample,
        word.end_sample,
        word.confidence if word.HasField("confidence") else None,
        word.pronunciation if word.HasField("pronunciation") else None,
    )


def _rate(sound: audio_pb.AudioFormat, field: str) -> int:
    if sound.encoding == audio_pb.AUDIO_ENCODING_OPUS:
        raise InvalidFieldError(f"{field}.encoding must be PCM_S16LE here.", field=f"{field}.encoding")
    return sound.sample_rate_hz


def _configured(event: run.Configured) -> engine_pb.Configured:
    chosen = event.selection
    return engine_pb.Configured(
        engine=engine_pb.EngineSelection(
            kind=_KINDS[chosen.kind],
            recognizer=chosen.recognizer,
            language_model=chosen.language_model,
            synthesizer=chosen.synthesizer,
            speech_to_speech=chosen.speech_to_speech,
            voice=chosen.voice,
            speaking_rate=chosen.speaking_rate,
        ),
        output_audio=pcm_format(event.output_rate_hz),
        labels=event.labels,
        local=event.local,
    )


def _transcript(event: run.TranscriptRevised) -> engine_pb.TranscriptRevised:
    return engine_pb.TranscriptRevised(
        turn_id=event.turn_id,
        revision=event.revision,
        text=event.text,
        words=map(word_time, event.words),
        to_sample=event.to_sample,
    )


def _finished(event: run.ReplyFinished) -> engine_pb.ReplyFinished:
    usage, progress = event.usage, event.progress
    return engine_pb.ReplyFinished(
        reply_id=event.reply_id,
        end=_ENDS[event.end],
        total_samples=event.total_samples,
        tutor_state=event.tutor_state,
        progress=feedback_pb.ScenarioProgress(
            scenario_id=progress.scenario_id,
            reached_goal_ids=progress.reached_goal_ids,
            goal_count=progress.goal_count,
            finished=progress.finished,
        )
        if progress
        else None,
        failure=_failure(event.failure) if event.failure else None,
        usage=engine_pb.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            spoken_characters=usage.spoken_characters,
            recognized_ms=usage.recognized_ms,
            first_text_ms=usage.first_text_ms,
            first_audio_ms=usage.first_audio_ms,
            input_audio_tokens=usage.input_audio_tokens,
            output_audio_tokens=usage.output_audio_tokens,
            cost_micros=usage.cost_micros,
            provider_costs=[
                engine_pb.ProviderCost(provider=each.provider, cost_micros=each.cost_micros, unknown=each.unknown)
                for each in usage.provider_costs
            ],
            provider_attempts=map(_attempt, usage.provider_attempts),
            currency=usage.currency,
        ),
    )


def _attempt(attempt: run.ProviderAttempt) -> engine_pb.ProviderAttempt:
    return engine_pb.ProviderAttempt(
        provider=attempt.provider,
        role=_ROLES[attempt.role],
        outcome=_OUTCOMES[attempt.outcome],
        cause=attempt.cause,
        first_ms=attempt.first_ms,
        count=attempt.count,
    )


def _failure(failure: run.Failure) -> failure_pb.Failure:
    return failure_pb.Failure(
        reason=error_pb.ErrorReason.Value(f"ERROR_REASON_{failure.reason}"),
        message=failure.message,
        field=failure.field,
        retryable=failure.retryable,
    )

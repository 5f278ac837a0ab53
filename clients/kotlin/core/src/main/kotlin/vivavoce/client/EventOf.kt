package vivavoce.client

import vivavoce.conversation.v1.ConverseResponse
import vivavoce.conversation.v1.ConverseResponse.EventCase
import vivavoce.conversation.v1.FeedbackGiven
import vivavoce.conversation.v1.ReplyAudio
import vivavoce.conversation.v1.ReplyFinished
import vivavoce.conversation.v1.SessionEnded
import vivavoce.conversation.v1.SessionStarted
import vivavoce.conversation.v1.SpeechEnded
import vivavoce.conversation.v1.SpeechStarted
import vivavoce.conversation.v1.ToolCalled
import vivavoce.conversation.v1.TranscriptRevised
import vivavoce.conversation.v1.TurnCommitted
import kotlin.time.Duration
import kotlin.time.Duration.Companion.nanoseconds
import kotlin.time.Duration.Companion.seconds
import com.google.protobuf.Duration as WireDuration

/** The event that a message of the server stands for; null for one of a newer server, which is passed over. */
internal fun eventOf(response: ConverseResponse): Event? = with(response) {
    when (eventCase) {
        EventCase.SESSION_STARTED -> of(sessionStarted)
        EventCase.SPEECH_STARTED -> of(speechStarted)
        EventCase.SPEECH_ENDED -> of(speechEnded)
        EventCase.TRANSCRIPT_REVISED -> of(transcriptRevised)
        EventCase.TURN_COMMITTED -> of(turnCommitted)
        EventCase.REPLY_STARTED -> Event.ReplyStarted(replyStarted.replyId, replyStarted.turnId)
        EventCase.REPLY_TEXT -> Event.ReplyText(replyText.replyId, replyText.text)
        EventCase.REPLY_AUDIO -> of(replyAudio)
        EventCase.REPLY_AUDIO_ENDED -> Event.ReplyAudioEnded(replyAudioEnded.replyId, replyAudioEnded.totalSamples)
        EventCase.REPLY_PAUSED -> Event.ReplyPaused(replyPaused.replyId)
        EventCase.REPLY_RESUMED -> Event.ReplyResumed(replyResumed.replyId, replyResumed.fromSample)
        EventCase.REPLY_FINISHED -> of(replyFinished)
        EventCase.TOOL_CALLED -> of(toolCalled)
        EventCase.FEEDBACK_GIVEN -> of(feedbackGiven)
        EventCase.SCENARIO_PROGRESSED -> Event.ScenarioProgressed(scenarioProgressed.progress)
        EventCase.REPLY_MEASURED ->
            Event.ReplyMeasured(replyMeasured.replyId, replyMeasured.turnId, replyMeasured.ledger)
        EventCase.ERROR_RAISED -> Event.ErrorRaised(ofFailure(errorRaised.failure))
        EventCase.ACCESS_EXPIRING -> Event.AccessExpiring(of(accessExpiring.timeLeft))
        EventCase.GO_AWAY -> Event.GoAway(of(goAway.reconnectAfter))
        EventCase.PONG -> Event.Pong(pong.nonce)
        EventCase.SESSION_ENDED -> of(sessionEnded)
        EventCase.EVENT_NOT_SET, null -> null
    }
}

private fun of(it: SessionStarted) =
    Event.SessionStarted(it.sessionId, it.conversation, it.engineLabelsList, of(it.resumeWindow), it.resumed)

private fun of(it: SpeechStarted) = Event.SpeechStarted(it.turnId, it.revision, it.atSample)

private fun of(it: SpeechEnded) = Event.SpeechEnded(it.turnId, it.revision, it.atSample, it.waitMs)

private fun of(it: TranscriptRevised) = Event.TranscriptRevised(it.turnId, it.revision, it.text, it.wordsList)

private fun of(it: TurnCommitted) = Event.TurnCommitted(it.turnId, it.revision, it.sequence, it.text, it.typed)

private fun of(it: ReplyAudio) = Event.ReplyAudio(it.replyId, it.firstSample, it.pcm, it.wordsList)

private fun of(it: ReplyFinished) =
    Event.ReplyFinished(it.replyId, it.outcome, it.heardText, it.heardSamples, it.totalSamples, it.sequence)

private fun of(it: ToolCalled) = Event.ToolCalled(it.replyId, it.turnId, it.callId, it.name, it.argumentsJson)

private fun of(it: FeedbackGiven): Event? = when {
    it.hasCorrection() -> Event.SlipFound(it.turnId, it.correction)
    it.hasRemark() -> Event.Remarked(it.turnId, it.remark)
    else -> null
}

private fun of(it: SessionEnded) =
    Event.SessionEnded(if (it.hasFailure()) ofFailure(it.failure) else null, it.turnCount)

private fun of(it: WireDuration): Duration = it.seconds.seconds + it.nanos.nanoseconds

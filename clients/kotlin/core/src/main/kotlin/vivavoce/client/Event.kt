package vivavoce.client

import com.google.protobuf.ByteString
import vivavoce.conversation.v1.ReplyOutcome
import vivavoce.type.v1.Correction
import vivavoce.type.v1.Ledger
import vivavoce.type.v1.Remark
import vivavoce.type.v1.ScenarioProgress
import vivavoce.type.v1.WordTime
import kotlin.time.Duration
import vivavoce.conversation.v1.Conversation as StoredConversation

/** What comes of a conversation. `converse.proto` says of each event, and of each of its fields, what it means. */
public sealed interface Event {
    /** The session is open, or there again after a cut where it is [resumed]. */
    public data class SessionStarted(
        public val sessionId: String,
        public val conversation: StoredConversation,
        public val engineLabels: List<String>,
        public val resumeWindow: Duration,
        public val resumed: Boolean,
    ) : Event

    /** The learner began to speak. */
    public data class SpeechStarted(public val turnId: String, public val revision: Int, public val atSample: Long) :
        Event

    /** The learner paused; the tutor waits for [waitMs] milliseconds before it takes the turn for finished. */
    public data class SpeechEnded(
        public val turnId: String,
        public val revision: Int,
        public val atSample: Long,
        public val waitMs: Int,
    ) : Event

    /** What was understood so far, in place of the text of earlier revisions of the turn. */
    public data class TranscriptRevised(
        public val turnId: String,
        public val revision: Int,
        public val text: String,
        public val words: List<WordTime>,
    ) : Event

    /** The turn is over and stored. */
    public data class TurnCommitted(
        public val turnId: String,
        public val revision: Int,
        public val sequence: Long,
        public val text: String,
        public val typed: Boolean,
    ) : Event

    /** The tutor begins to answer a turn; none where it opens, nudges or repeats. */
    public data class ReplyStarted(public val replyId: String, public val turnId: String) : Event

    /** More of the reply's text. */
    public data class ReplyText(public val replyId: String, public val text: String) : Event

    /** More of the reply's sound, which the loudspeaker has got already. */
    public data class ReplyAudio(
        public val replyId: String,
        public val firstSample: Long,
        public val pcm: ByteString,
        public val words: List<WordTime>,
    ) : Event

    /** All of the reply's sound has come. */
    public data class ReplyAudioEnded(public val replyId: String, public val totalSamples: Long) : Event

    /** The loudspeaker stopped: the learner may be interrupting. */
    public data class ReplyPaused(public val replyId: String) : Event

    /** It was no interruption: the loudspeaker goes on. */
    public data class ReplyResumed(public val replyId: String, public val fromSample: Long) : Event

    /** The reply is over; [heardText] is all that the tutor will remember having said. */
    public data class ReplyFinished(
        public val replyId: String,
        public val outcome: ReplyOutcome,
        public val heardText: String,
        public val heardSamples: Long,
        public val totalSamples: Long,
        public val sequence: Long,
    ) : Event

    /** The tutor needs a function carried out: answer by [Conversation.answerTool]. */
    public data class ToolCalled(
        public val replyId: String,
        public val turnId: String,
        public val callId: String,
        public val name: String,
        public val argumentsJson: String,
    ) : Event

    /** A slip in a turn, and how to mend it. */
    public data class SlipFound(public val turnId: String, public val correction: Correction) : Event

    /** Something about a turn that is no slip: pace, words, sounds. */
    public data class Remarked(public val turnId: String, public val remark: Remark) : Event

    /** The learner reached a goal of the role-play. */
    public data class ScenarioProgressed(public val progress: ScenarioProgress) : Event

    /** How long the learner waited for a reply, and where the time went. */
    public data class ReplyMeasured(public val replyId: String, public val turnId: String, public val ledger: Ledger) :
        Event

    /** Something went wrong, and the session goes on. */
    public data class ErrorRaised(public val error: VivavoceException) : Event

    /** The access token expires soon; the conversation renews it by itself. */
    public data class AccessExpiring(public val timeLeft: Duration) : Event

    /** The server is about to stop; the conversation comes back by itself. */
    public data class GoAway(public val reconnectAfter: Duration) : Event

    /** Answers a ping. */
    public data class Pong(public val nonce: Long) : Event

    /** The session is over; with a [failure] where that was not asked for. */
    public data class SessionEnded(public val failure: VivavoceException?, public val turnCount: Int) : Event
}

package vivavoce.client

import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.receiveAsFlow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext
import vivavoce.ai_engine.v1.ToolSet
import vivavoce.conversation.v1.AskReply
import vivavoce.conversation.v1.CancelReply
import vivavoce.conversation.v1.CommitTurn
import vivavoce.conversation.v1.ConverseRequest
import vivavoce.conversation.v1.ConverseResponse
import vivavoce.conversation.v1.DiscardTurn
import vivavoce.conversation.v1.EndSession
import vivavoce.conversation.v1.HoldTurn
import vivavoce.conversation.v1.RefreshAccess
import vivavoce.conversation.v1.RepeatReply
import vivavoce.conversation.v1.ReplyOutcome
import vivavoce.conversation.v1.ReportPlayed
import vivavoce.conversation.v1.SetTools
import vivavoce.conversation.v1.SubmitText
import vivavoce.conversation.v1.SubmitToolResult
import java.security.SecureRandom
import kotlin.time.Duration.Companion.milliseconds

private val REPORT = 100.milliseconds

/** So many events wait for whoever collects them; then the conversation stands still. */
private const val WAITING = 1000
private const val ID_BYTES = 12

/**
 * A live session, made by [Vivavoce.converse]: what the learner says goes in, events and sound come out.
 *
 * It comes back by itself after a cut, renews the access token, steers the loudspeaker and reports what it played. Its
 * functions throw [VivavoceException] where the session is over, and may be called from any coroutine.
 */
public class Conversation internal constructor(
    /** What plays the replies. */
    public val loudspeaker: Loudspeaker,
    private val inputHz: Int,
    private val wire: LastingWire,
    private val confined: CoroutineDispatcher,
    private val renew: suspend () -> String,
) {
    private val heard = Channel<Event>(WAITING)
    private val opened = CompletableDeferred<Unit>()
    private val random = SecureRandom()

    /** Whether the loudspeaker may have played on while the wire was cut. */
    private var playedOn = false

    /** The events until the session is over. Collect it always, and in one place; throws where the session failed. */
    public val events: Flow<Event> = heard.receiveAsFlow()

    /** Whether the wire is cut, and may come back; what is said meanwhile is kept. */
    public val away: StateFlow<Boolean> get() = wire.away

    /** How the session was opened, or resumed last. */
    @Volatile
    public lateinit var started: Event.SessionStarted
        private set

    // ── What the learner does ──

    /** Lets the learner be heard: sends what [microphone] captures, until that or the session ends. */
    public suspend fun listenTo(microphone: Microphone) {
        try {
            microphone.sound(inputHz).collect(::say)
        } catch (error: VivavoceException) {
            // How the session ended is told by its events.
            if (!wire.isOver) throw error
        }
    }

    /** Sends 20 to 100 ms of the learner's sound, signed 16-bit samples at the input rate; no faster than it sounds. */
    public suspend fun say(pcm: ByteArray): Unit = withContext(confined) { wire.say(pcm) }

    /** Says something in writing. */
    public suspend fun write(text: String): Unit =
        withContext(confined) { wire.write(SubmitText.newBuilder().setText(text).setRequestId(newId()).build()) }

    /** Ends the turn now: for push-to-talk. */
    public suspend fun commit(): Unit = send { commitTurn = CommitTurn.getDefaultInstance() }

    /** Holds the turn open while the learner thinks, or releases it. */
    public suspend fun hold(held: Boolean = true): Unit =
        send { holdTurn = HoldTurn.newBuilder().setHeld(held).build() }

    /** Drops what the learner is saying: nothing of it is kept or answered. */
    public suspend fun discardTurn(): Unit = send { discardTurn = DiscardTurn.getDefaultInstance() }

    /** Stops the reply that is playing. */
    public suspend fun cancelReply(): Unit = send { cancelReply = CancelReply.getDefaultInstance() }

    /** Asks to hear a reply again, slowly unless told otherwise; the last one where none is named. */
    public suspend fun repeatReply(replyId: String = "", speakingRate: Float = 0f): Unit =
        send { repeatReply = RepeatReply.newBuilder().setReplyId(replyId).setSpeakingRate(speakingRate).build() }

    /** Asks the tutor to speak; to answer something beside the talk where [aside] is given. */
    public suspend fun askReply(aside: String = ""): Unit =
        send { askReply = AskReply.newBuilder().setAside(aside).build() }

    /** Tells which functions the tutor may have carried out, in place of those told before. */
    public suspend fun offerTools(tools: ToolSet): Unit =
        send { setTools = SetTools.newBuilder().setTools(tools).build() }

    /** Tells what came of an [Event.ToolCalled]; with the last of them the tutor goes on. */
    public suspend fun answerTool(callId: String, output: String): Unit =
        send { submitToolResult = SubmitToolResult.newBuilder().setCallId(callId).setOutput(output).build() }

    /** Ends the session; the events go on until [Event.SessionEnded]. */
    public suspend fun end(): Unit = send { endSession = EndSession.getDefaultInstance() }

    // ── What comes of it ──

    /** Holds the session until it is over. */
    internal suspend fun run(): Unit = withContext(confined) {
        var failure: VivavoceException? = null
        try {
            coroutineScope {
                val reporting = launch { report() }
                wire.run { hear(it) }
                reporting.cancel()
            }
        } catch (error: VivavoceException) {
            failure = error
        } finally {
            opened.completeExceptionally(failure ?: UnreachableException("The session ended before it began."))
            heard.close(failure)
        }
    }

    /** Returns when the session is open; throws where the server refuses it. */
    internal suspend fun opened(): Unit = opened.await()

    private suspend fun CoroutineScope.hear(response: ConverseResponse) {
        val event = eventOf(response) ?: return
        steer(event)
        if (event is Event.AccessExpiring) launch { renewAccess() }
        heard.send(event)
        if (event is Event.SessionEnded && event.failure != null) throw event.failure
    }

    private fun steer(event: Event) {
        when (event) {
            is Event.ReplyAudio -> loudspeaker.play(event.replyId, event.firstSample, event.pcm.toByteArray())
            is Event.ReplyAudioEnded -> loudspeaker.end(event.replyId)
            is Event.ReplyPaused -> loudspeaker.pause()
            is Event.ReplyResumed -> playOn(event)
            is Event.ReplyFinished -> if (!event.wasHeard) loudspeaker.drop()
            is Event.SessionStarted -> begin(event)
            else -> Unit
        }
    }

    private fun playOn(event: Event.ReplyResumed) {
        // Who played on while the wire was cut is further than the server knows.
        val played = if (playedOn) loudspeaker.played().samples else 0
        playedOn = false
        loudspeaker.resume(maxOf(played, event.fromSample))
    }

    private fun begin(event: Event.SessionStarted) {
        playedOn = event.resumed
        started = event
        opened.complete(Unit)
    }

    /** Tells every 100 ms what was played, as long as it changes. */
    private suspend fun report() {
        var told = Played("", 0)
        while (true) {
            delay(REPORT)
            val played = loudspeaker.played()
            if (played == told || played.replyId.isEmpty()) continue
            told = played
            val report = ReportPlayed.newBuilder().setReplyId(played.replyId).setSamples(played.samples)
            wire.attempt(request { setReportPlayed(report) })
        }
    }

    private suspend fun renewAccess() {
        try {
            val token = renew()
            wire.send(request { refreshAccess = RefreshAccess.newBuilder().setAccessToken(token).build() })
        } catch (_: VivavoceException) {
            // The session ends by itself then, and says why.
        }
    }

    private suspend fun send(event: ConverseRequest.Builder.() -> Unit): Unit =
        withContext(confined) { wire.send(request(event)) }

    private fun newId(): String {
        val bytes = ByteArray(ID_BYTES).also(random::nextBytes)
        return "req_" + bytes.joinToString("") { "%02x".format(it) }
    }
}

private val Event.ReplyFinished.wasHeard get() = outcome == ReplyOutcome.REPLY_OUTCOME_HEARD

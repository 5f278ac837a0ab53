package vivavoce.client

import com.google.protobuf.ByteString
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import vivavoce.conversation.v1.ConverseRequest
import vivavoce.conversation.v1.ConverseResponse
import vivavoce.conversation.v1.ResumeSession
import vivavoce.conversation.v1.SessionStarted
import vivavoce.conversation.v1.StartSession
import vivavoce.conversation.v1.SubmitText
import vivavoce.type.v1.ErrorReason
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/** Pauses before each try to come back: half a minute, as long as a session waits for its client. */
internal val TRY_AFTER: List<Duration> =
    listOf(200, 500, 1_000, 2_000, 2_000, 3_000, 5_000, 5_000, 5_000, 5_000).map { it.milliseconds }

/** What was said in the last seconds is said again to a session that has not got it; it takes five at once. */
private const val REMEMBERED_S = 4L

/**
 * A wire that outlasts cuts: it is opened anew, and the session goes on where it was.
 *
 * While it is cut, sound is remembered, and who sends something else waits. Used by one thread at a time.
 */
internal class LastingWire(
    private val start: StartSession,
    private val renew: suspend () -> Unit,
    private val pauses: List<Duration> = TRY_AFTER,
    private val open: (first: ConverseRequest) -> Wire,
) {
    private val gone = MutableStateFlow(true)
    private val recent = RecentSound(REMEMBERED_S * start.inputAudio.sampleRateHz)

    // Held by who sends, so that all keeps its order; never while waiting for the wire to come back.
    private val sending = Mutex()
    private var wire: Wire? = null
    private var sessionId = ""
    private var token = ""
    private var lastSequence = 0L
    private var cutAt = 0L
    private var greetings = 0

    /** Why nothing can be sent any more. */
    private var over: VivavoceException? = null

    /** Whether nothing can be sent any more. */
    val isOver: Boolean get() = over != null

    /** A text that is not known to be taken. */
    private var text: SubmitText? = null

    /** Whether it is cut, and may come back. */
    val away: StateFlow<Boolean> get() = gone

    /** Sends the learner's sound, or remembers it. Throws [VivavoceException] where the session is over. */
    suspend fun say(pcm: ByteArray): Unit = sending.withLock {
        over?.let { throw it }
        attempt(request { appendAudio = recent.add(ByteString.copyFrom(pcm)) })
    }

    /** Says a text, once however often it is sent. Waits while the wire is cut. Throws where the session is over. */
    suspend fun write(submitted: SubmitText) {
        val sent =
            sending.withLock {
                text = submitted
                attempt(request { submitText = submitted })
            }
        // Whoever comes back sends it.
        if (!sent) given()
    }

    /** Sends a request; waits while the wire is cut. Throws [VivavoceException] where the session is over. */
    suspend fun send(message: ConverseRequest) {
        do {
            given()
        } while (!sending.withLock { attempt(message) })
    }

    /** Sends what is of use only now, and tells whether. */
    suspend fun attempt(message: ConverseRequest): Boolean {
        val wire = wire
        if (wire == null || gone.value || isOver) return false
        try {
            wire.send(message)
            return true
        } catch (_: UnreachableException) {
            // Whoever listens finds out; by now another may be open, or the session over.
            if (wire === this.wire && !isOver) gone.value = true
            return false
        }
    }

    /** Gives each response, of whichever wire is open then, to [hear] until the session is over. */
    suspend fun run(hear: suspend (ConverseResponse) -> Unit) {
        try {
            var cut = letIn(request { startSession = start }, hear)
            while (cut != null) cut = comeBack(cut, hear)
        } catch (error: VivavoceException) {
            over = error
            throw error
        } finally {
            over = over ?: VivavoceException("The session is over.", ErrorReason.ERROR_REASON_CONVERSATION_CLOSED)
            gone.value = false
        }
    }

    private suspend fun given() {
        gone.first { !it }
        over?.let { throw it }
    }

    /** Holds one wire to its end. Where the access token has expired meanwhile, it is renewed, and another opened. */
    private suspend fun letIn(
        first: ConverseRequest,
        hear: suspend (ConverseResponse) -> Unit,
    ): UnreachableException? {
        val before = greetings
        try {
            return carry(first, hear)
        } catch (refused: VivavoceException) {
            if (refused.reason != ErrorReason.ERROR_REASON_TOKEN_INVALID || greetings > before) throw refused
        }
        renew()
        return carry(first, hear)
    }

    /** Holds one wire to its end; what cut it, if anything did. */
    private suspend fun carry(
        first: ConverseRequest,
        hear: suspend (ConverseResponse) -> Unit,
    ): UnreachableException? {
        val wire = open(first)
        this.wire = wire
        var cut: UnreachableException? = null
        try {
            wire.receive { response ->
                if (response.isDraining) {
                    cut = UnreachableException("The server was stopped, and no other took the talk over.")
                } else {
                    note(response)
                    hear(response)
                }
            }
        } catch (lost: UnreachableException) {
            cut = lost
        }
        return cut
    }

    /** Opens the wire anew, resumes the session and holds it to its end; throws [cut] where it can't within the pauses. */
    private suspend fun comeBack(
        cut: UnreachableException,
        hear: suspend (ConverseResponse) -> Unit,
    ): UnreachableException? {
        gone.value = true
        cutAt = recent.next
        if (token.isEmpty()) throw cut
        for (pause in pauses) {
            delay(pause)
            val before = greetings
            val next = letIn(resumption(), hear)
            if (greetings > before) return next
        }
        throw cut
    }

    private suspend fun note(response: ConverseResponse) {
        // A resumed session greets with 0.
        if (response.sequence != 0L) lastSequence = response.sequence
        if (response.hasSessionStarted()) found(response.sessionStarted)
        if (response.hasGoAway()) token = response.goAway.resumeToken
        if (response.hasTurnCommitted() && response.turnCommitted.text == text?.text?.trim()) text = null
    }

    /** The session is there, or there again: it is sent what it has not got. */
    private suspend fun found(started: SessionStarted): Unit = sending.withLock {
        // Another one has got nothing, and wants what was said since the cut.
        val same = started.sessionId == sessionId
        sessionId = started.sessionId
        token = started.resumeToken
        greetings += 1
        gone.value = false
        val from = if (same) started.nextInputSample else cutAt
        for (piece in recent.again(from, started.nextInputSample)) attempt(request { appendAudio = piece })
        text?.let { attempt(request { submitText = it }) }
    }

    private fun resumption(): ConverseRequest {
        val resumed = ResumeSession.newBuilder().setResumeToken(token).setLastSequence(lastSequence)
        return request { startSession = start.toBuilder().setResume(resumed).build() }
    }
}

internal fun request(event: ConverseRequest.Builder.() -> Unit): ConverseRequest =
    ConverseRequest.newBuilder().apply(event).build()

private val ConverseResponse.isDraining: Boolean
    get() = hasSessionEnded() && sessionEnded.failure.reason == ErrorReason.ERROR_REASON_DRAINING

package vivavoce.client

import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceUntilIdle
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import vivavoce.conversation.v1.AppendAudio
import vivavoce.conversation.v1.CommitTurn
import vivavoce.conversation.v1.ConverseRequest
import vivavoce.conversation.v1.ConverseRequest.EventCase
import vivavoce.conversation.v1.ConverseResponse
import vivavoce.conversation.v1.GoAway
import vivavoce.conversation.v1.ReplyText
import vivavoce.conversation.v1.SessionEnded
import vivavoce.conversation.v1.StartSession
import vivavoce.conversation.v1.SubmitText
import vivavoce.conversation.v1.TurnCommitted
import vivavoce.type.v1.AudioFormat
import vivavoce.type.v1.ErrorReason
import vivavoce.type.v1.Failure
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertIs
import kotlin.test.assertTrue

private val FRAME = ByteArray(640)
private val COMMIT: ConverseRequest = request { commitTurn = CommitTurn.getDefaultInstance() }

private val EXPIRED = VivavoceException("It has expired.", ErrorReason.ERROR_REASON_TOKEN_INVALID)

/** What a session keeps through a cut, on virtual time. */
@OptIn(ExperimentalCoroutinesApi::class)
class LastingWireTest {
    private val opened = mutableListOf<Pair<ConverseRequest, ScriptedWire>>()
    private val heard = mutableListOf<ConverseResponse>()
    private var failure: VivavoceException? = null
    private var begin: (ScriptedWire) -> Unit = { it.greet(1) }
    private val format = AudioFormat.newBuilder().setSampleRateHz(16_000)
    private val start = StartSession.newBuilder().setInputAudio(format).build()

    /** Brings a token that is let in. */
    private val renew: suspend () -> Unit = { begin = { it.greet(1) } }
    private val lasting =
        LastingWire(start, { renew() }) {
            ScriptedWire().also { wire ->
                opened += it to wire
                begin(wire)
            }
        }
    private val wire get() = opened.last().second

    @Test
    fun `it comes back with the token and the last event seen`() = runTest {
        val session = hold()
        wire.say(7) { replyText = ReplyText.getDefaultInstance() }
        runCurrent()
        begin = { it.greet(0, resumed = true) }
        wire.cut()
        advanceUntilIdle()
        val resume = opened[1].first.startSession.resume
        assertEquals("token_ses_1" to 7L, resume.resumeToken to resume.lastSequence)
        assertEquals(200, currentTime)
        assertFalse(lasting.away.value)
        session.cancel()
    }

    @Test
    fun `sound that the server has not got is sent again, numbered from where it goes on`() = runTest {
        val session = hold()
        repeat(3) { lasting.say(FRAME) }
        wire.cut()
        runCurrent()
        lasting.say(FRAME)
        assertTrue(lasting.away.value)
        begin = { it.greet(0, resumed = true, nextInputSample = 640) }
        advanceUntilIdle()
        assertEquals(listOf(640L, 960L), sounds(wire).map { it.firstSample })
        session.cancel()
    }

    @Test
    fun `another session gets what was said since the cut, from its own beginning`() = runTest {
        val session = hold()
        repeat(3) { lasting.say(FRAME) }
        wire.cut()
        runCurrent()
        repeat(2) { lasting.say(FRAME) }
        begin = { it.greet(0, resumed = true, sessionId = "ses_2") }
        advanceUntilIdle()
        assertEquals(listOf(0L, 320L), sounds(wire).map { it.firstSample })
        session.cancel()
    }

    @Test
    fun `a text that was not taken is sent again under its own id`() = runTest {
        val session = hold()
        val text = SubmitText.newBuilder().setText(" Tea, please. ").setRequestId("req_1").build()
        lasting.write(text)
        begin = { it.greet(0, resumed = true) }
        wire.cut()
        advanceUntilIdle()
        assertEquals(listOf(text), wire.sent.map { it.submitText })
        wire.say(8) { turnCommitted = TurnCommitted.newBuilder().setText("Tea, please.").build() }
        runCurrent()
        wire.cut()
        advanceUntilIdle()
        assertEquals(emptyList(), wire.sent)
        session.cancel()
    }

    @Test
    fun `who sends something else while it is cut waits until it is back`() = runTest {
        val session = hold()
        wire.cut()
        runCurrent()
        val waiting = launch { lasting.send(COMMIT) }
        runCurrent()
        assertTrue(waiting.isActive)
        begin = { it.greet(0, resumed = true) }
        advanceUntilIdle()
        assertEquals(listOf(EventCase.COMMIT_TURN), wire.sent.map { it.eventCase })
        session.cancel()
    }

    @Test
    fun `a text said while it is cut is sent once, and before what is asked next`() = runTest {
        val session = hold()
        lasting.say(FRAME)
        wire.cut()
        runCurrent()
        launch {
            lasting.write(SubmitText.newBuilder().setText("Tea, please.").build())
            lasting.send(COMMIT)
        }
        runCurrent()
        begin = { it.greet(0, resumed = true) }
        advanceUntilIdle()
        val expected = listOf(EventCase.APPEND_AUDIO, EventCase.SUBMIT_TEXT, EventCase.COMMIT_TURN)
        assertEquals(expected, wire.sent.map { it.eventCase })
        session.cancel()
    }

    @Test
    fun `a token that expired during the cut is renewed`() = runTest {
        val session = hold()
        begin = { it.refuse(EXPIRED) }
        wire.cut()
        advanceUntilIdle()
        assertEquals(3, opened.size)
        assertEquals("token_ses_1", opened.last().first.startSession.resume.resumeToken)
        assertFalse(lasting.away.value)
        session.cancel()
    }

    @Test
    fun `a token that expired before the talk is renewed`() = runTest {
        begin = { it.refuse(EXPIRED) }
        val session = hold()
        assertEquals(2, opened.size)
        assertFalse(lasting.away.value)
        session.cancel()
    }

    @Test
    fun `what is under way when the session ends lets nobody wait`() = runTest {
        hold()
        wire.fill()
        val saying = launch { lasting.say(FRAME) }
        runCurrent()
        wire.end()
        runCurrent()
        wire.giveUp()
        saying.join()
        assertFailsWith<VivavoceException> { lasting.send(COMMIT) }
    }

    @Test
    fun `after half a minute of trying it is given up, and nothing more can be said`() = runTest {
        hold()
        begin = { it.cut() }
        wire.cut()
        advanceUntilIdle()
        assertEquals(28_700, currentTime)
        assertEquals(11, opened.size)
        assertIs<UnreachableException>(failure)
        assertFailsWith<UnreachableException> { lasting.send(COMMIT) }
        assertFailsWith<UnreachableException> { lasting.say(FRAME) }
    }

    @Test
    fun `a server that stops is a cut, and not the end`() = runTest {
        val session = hold()
        val stopped = Failure.newBuilder().setReason(ErrorReason.ERROR_REASON_DRAINING)
        begin = { it.greet(0, resumed = true) }
        wire.say(1) { goAway = GoAway.newBuilder().setResumeToken("elsewhere").build() }
        wire.say(2) { sessionEnded = SessionEnded.newBuilder().setFailure(stopped).build() }
        wire.end()
        advanceUntilIdle()
        assertEquals(2, opened.size)
        assertEquals("elsewhere", opened[1].first.startSession.resume.resumeToken)
        assertFalse(heard.any { it.hasSessionEnded() })
        session.cancel()
    }

    @Test
    fun `a session that can't be resumed ends with the reason`() = runTest {
        hold()
        val refused = VivavoceException("It is too old.", ErrorReason.ERROR_REASON_NOT_RESUMABLE)
        begin = { it.refuse(refused) }
        wire.cut()
        advanceUntilIdle()
        assertEquals(ErrorReason.ERROR_REASON_NOT_RESUMABLE, failure?.reason)
        assertEquals(2, opened.size)
    }

    private fun TestScope.hold(): Job {
        val session =
            launch {
                try {
                    lasting.run { heard += it }
                } catch (error: VivavoceException) {
                    failure = error
                }
            }
        runCurrent()
        return session
    }

    private fun sounds(wire: ScriptedWire): List<AppendAudio> = wire.sent.map { it.appendAudio }
}

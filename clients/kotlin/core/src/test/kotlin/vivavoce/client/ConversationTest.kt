package vivavoce.client

import com.google.protobuf.ByteString
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.Job
import kotlinx.coroutines.async
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.test.StandardTestDispatcher
import kotlinx.coroutines.test.TestScope
import kotlinx.coroutines.test.advanceTimeBy
import kotlinx.coroutines.test.advanceUntilIdle
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import vivavoce.conversation.v1.AccessExpiring
import vivavoce.conversation.v1.ConverseRequest.EventCase
import vivavoce.conversation.v1.ReplyAudio
import vivavoce.conversation.v1.ReplyAudioEnded
import vivavoce.conversation.v1.ReplyFinished
import vivavoce.conversation.v1.ReplyOutcome
import vivavoce.conversation.v1.ReplyPaused
import vivavoce.conversation.v1.ReplyResumed
import vivavoce.conversation.v1.SessionEnded
import vivavoce.conversation.v1.StartSession
import vivavoce.type.v1.AudioFormat
import vivavoce.type.v1.ErrorReason
import vivavoce.type.v1.Failure
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

private const val SAMPLES = 480
private val FRAME = ByteArray(2 * SAMPLES) { 7 }
private val SILENCE = ByteArray(2 * SAMPLES)

/** A microphone that never falls silent. */
private object Talkative : Microphone {
    override fun sound(rateHz: Int): Flow<ByteArray> = flow {
        while (true) {
            emit(FRAME)
            delay(20)
        }
    }
}

/** What a conversation does by itself, on virtual time. */
@OptIn(ExperimentalCoroutinesApi::class)
class ConversationTest {
    private val buffer = JitterBuffer(24_000)
    private var wire = ScriptedWire()

    @Test
    fun `what was played is told every tenth of a second, as long as it changes`() = talking { _ ->
        speak(4)
        buffer.pull(SAMPLES)
        advanceTimeBy(101)
        buffer.pull(SAMPLES)
        advanceTimeBy(500)
        assertEquals(listOf(480L, 960L), reports())
    }

    @Test
    fun `an interruption falls silent at once and drops what is queued`() = talking { _ ->
        speak(4)
        assertContentEquals(FRAME, buffer.pull(SAMPLES))
        wire.say(6) { replyPaused = ReplyPaused.newBuilder().setReplyId("rep_1").build() }
        runCurrent()
        assertContentEquals(SILENCE, buffer.pull(SAMPLES))
        val outcome = ReplyOutcome.REPLY_OUTCOME_INTERRUPTED
        wire.say(7) { replyFinished = ReplyFinished.newBuilder().setReplyId("rep_1").setOutcome(outcome).build() }
        runCurrent()
        assertEquals(Played("", 0), buffer.played())
    }

    @Test
    fun `a cough lets the reply go on at the sample it is told`() = talking { _ ->
        speak(4)
        buffer.pull(2 * SAMPLES)
        wire.say(6) { replyPaused = ReplyPaused.newBuilder().setReplyId("rep_1").build() }
        wire.say(7) { replyResumed = ReplyResumed.newBuilder().setReplyId("rep_1").setFromSample(480).build() }
        runCurrent()
        assertEquals(Played("rep_1", 480), buffer.played())
    }

    @Test
    fun `who played on while the wire was cut does not go back`() = talking { _ ->
        speak(4)
        buffer.pull(3 * SAMPLES)
        wire.greet(0, resumed = true)
        wire.say(6) { replyResumed = ReplyResumed.newBuilder().setReplyId("rep_1").setFromSample(480).build() }
        runCurrent()
        assertEquals(Played("rep_1", 1440), buffer.played())
    }

    @Test
    fun `a token that expires soon is renewed in the talk`() = talking { _ ->
        wire.say(2) { accessExpiring = AccessExpiring.getDefaultInstance() }
        runCurrent()
        assertEquals(listOf("fresh"), wire.sent.map { it.refreshAccess.accessToken })
    }

    @Test
    fun `the events end with the session`() = talking { conversation ->
        wire.say(2) { sessionEnded = SessionEnded.newBuilder().setTurnCount(3).build() }
        wire.end()
        advanceUntilIdle()
        assertEquals(Event.SessionEnded(null, 3), conversation.events.toList().last())
    }

    @Test
    fun `a microphone that is on when the session ends is let go`() = talking { conversation ->
        val listening = async { conversation.listenTo(Talkative) }
        advanceTimeBy(100)
        wire.end()
        advanceTimeBy(100)
        listening.await()
        assertEquals(EventCase.APPEND_AUDIO, wire.sent.last().eventCase)
    }

    @Test
    fun `a session that failed is told and thrown`() = talking { conversation ->
        val idle = Failure.newBuilder().setReason(ErrorReason.ERROR_REASON_IDLE).setMessage("Nothing was said.")
        wire.say(2) { sessionEnded = SessionEnded.newBuilder().setFailure(idle).build() }
        runCurrent()
        val error = assertFailsWith<VivavoceException> { conversation.events.toList() }
        assertEquals(ErrorReason.ERROR_REASON_IDLE, error.reason)
    }

    @Test
    fun `a session that ends before it began was not opened`() = runTest {
        val conversation = conversation(StandardTestDispatcher(testScheduler))
        wire.end()
        launch { conversation.run() }
        assertFailsWith<UnreachableException> { conversation.opened() }
    }

    @Test
    fun `a text is given an id, so that it may be sent again`() = talking { conversation ->
        conversation.write("A tea, please.")
        assertEquals(Regex("req_[0-9a-f]{24}").matches(wire.sent.single().submitText.requestId), true)
    }

    /** A conversation for the length of the block. */
    private fun talking(block: suspend TestScope.(Conversation) -> Unit) = runTest {
        val conversation = conversation(StandardTestDispatcher(testScheduler))
        val running: Job = launch { conversation.run() }
        wire.greet(1)
        conversation.opened()
        block(conversation)
        running.cancel()
    }

    private fun conversation(dispatcher: CoroutineDispatcher): Conversation {
        val format = AudioFormat.newBuilder().setSampleRateHz(16_000)
        val lasting = LastingWire(StartSession.newBuilder().setInputAudio(format).build(), {}) { wire }
        return Conversation(buffer, 16_000, lasting, dispatcher) { "fresh" }
    }

    /** A reply of so many frames comes whole. */
    private fun TestScope.speak(frames: Int) {
        for (place in 0..<frames) {
            val audio = ReplyAudio.newBuilder().setReplyId("rep_1").setFirstSample(place.toLong() * SAMPLES)
            wire.say(2L + place) { setReplyAudio(audio.setPcm(ByteString.copyFrom(FRAME))) }
        }
        wire.say(5) { replyAudioEnded = ReplyAudioEnded.newBuilder().setReplyId("rep_1").build() }
        runCurrent()
    }

    private fun reports(): List<Long> =
        wire.sent.filter { it.eventCase == EventCase.REPORT_PLAYED }.map { it.reportPlayed.samples }
}

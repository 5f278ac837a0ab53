package vivavoce.client

import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.first
import vivavoce.conversation.v1.ConverseRequest
import vivavoce.conversation.v1.ConverseResponse
import vivavoce.conversation.v1.SessionStarted

/** A wire whose server end a test holds. */
internal class ScriptedWire : Wire {
    val sent = mutableListOf<ConverseRequest>()
    private val coming = Channel<ConverseResponse>(Channel.UNLIMITED)
    private var isCut = false
    private val room = MutableStateFlow(true)

    /** The server says something. */
    fun say(sequence: Long, event: ConverseResponse.Builder.() -> Unit) {
        coming.trySend(ConverseResponse.newBuilder().setSequence(sequence).apply(event).build())
    }

    fun greet(sequence: Long, resumed: Boolean = false, nextInputSample: Long = 0, sessionId: String = "ses_1") =
        say(sequence) {
            sessionStarted =
                SessionStarted
                    .newBuilder()
                    .setSessionId(sessionId)
                    .setResumeToken("token_$sessionId")
                    .setResumed(resumed)
                    .setNextInputSample(nextInputSample)
                    .build()
        }

    fun cut() {
        isCut = true
        coming.close(UnreachableException("The wire is cut."))
    }

    fun refuse(error: VivavoceException) {
        coming.close(error)
    }

    /** The server ends the stream as it should. */
    fun end() {
        coming.close()
    }

    /** Nothing more goes in; who sends waits. */
    fun fill() {
        room.value = false
    }

    /** Who waits learns that the wire is cut. */
    fun giveUp() {
        isCut = true
        room.value = true
    }

    override suspend fun send(message: ConverseRequest) {
        room.first { it }
        if (isCut) throw UnreachableException("The wire is cut.")
        sent += message
    }

    override suspend fun receive(hear: suspend (ConverseResponse) -> Unit) {
        for (response in coming) hear(response)
    }
}

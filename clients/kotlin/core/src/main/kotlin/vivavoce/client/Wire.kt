package vivavoce.client

import io.grpc.CallOptions
import io.grpc.StatusException
import io.grpc.kotlin.ClientCalls
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.emitAll
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.launch
import kotlinx.coroutines.withTimeoutOrNull
import vivavoce.conversation.v1.ConversationServiceGrpc
import vivavoce.conversation.v1.ConverseRequest
import vivavoce.conversation.v1.ConverseResponse
import kotlin.time.Duration.Companion.seconds

/** A wire that takes nothing for so long is cut. */
private val WRITE = 10.seconds

/** Carries requests out and responses in, in order. */
internal interface Wire {
    /** Sends a request; waits while the wire is full. Throws [UnreachableException] where it is cut. */
    suspend fun send(message: ConverseRequest)

    /** Gives each response to [hear] until the server ends the session; opens the wire. Throws [VivavoceException]. */
    suspend fun receive(hear: suspend (ConverseResponse) -> Unit)
}

/** One gRPC stream that begins with [first]. */
internal class GrpcWire(
    private val channel: io.grpc.Channel,
    private val token: String,
    private val first: ConverseRequest,
) : Wire {
    // gRPC takes one message at a time.
    private val outgoing = Channel<ConverseRequest>(Channel.RENDEZVOUS)
    private val stalled = CompletableDeferred<Unit>()

    override suspend fun send(message: ConverseRequest) {
        val sent =
            try {
                withTimeoutOrNull(WRITE) { outgoing.send(message) }
            } catch (_: CancellationException) {
                // Whoever receives learns why it has ended.
                currentCoroutineContext().ensureActive()
                null
            }
        if (sent != null) return
        stalled.complete(Unit)
        throw UnreachableException("The wire is cut.")
    }

    override suspend fun receive(hear: suspend (ConverseResponse) -> Unit): Unit = coroutineScope {
        val stalling =
            launch {
                stalled.await()
                throw UnreachableException("The server takes nothing any more.")
            }
        val requests =
            flow {
                emit(first)
                emitAll(outgoing)
            }
        try {
            ClientCalls
                .bidiStreamingRpc(
                    channel,
                    ConversationServiceGrpc.getConverseMethod(),
                    requests,
                    CallOptions.DEFAULT,
                    bearer(token),
                ).collect { hear(it) }
        } catch (error: StatusException) {
            throw ofCall(error)
        } finally {
            stalling.cancel()
            outgoing.cancel()
        }
    }
}

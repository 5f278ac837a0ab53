package vivavoce.client

import io.grpc.CallOptions
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import io.grpc.StatusException
import io.grpc.kotlin.ClientCalls
import java.util.concurrent.TimeUnit

private const val CALL_S = 10L
private val AUTHORIZATION = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER)

/** Makes unary calls on a channel, each with a deadline. */
internal class Calls(private val channel: io.grpc.Channel) {
    /** The answer; throws [VivavoceException], what the server answered instead. */
    suspend fun <Q, A> call(method: MethodDescriptor<Q, A>, request: Q, token: String = ""): A {
        val options = CallOptions.DEFAULT.withDeadlineAfter(CALL_S, TimeUnit.SECONDS)
        try {
            return ClientCalls.unaryRpc(channel, method, request, options, bearer(token))
        } catch (error: StatusException) {
            throw ofCall(error)
        }
    }
}

/** Metadata of a call in somebody's name; of nobody's without a token. */
internal fun bearer(token: String): Metadata =
    Metadata().apply { if (token.isNotEmpty()) put(AUTHORIZATION, "Bearer $token") }

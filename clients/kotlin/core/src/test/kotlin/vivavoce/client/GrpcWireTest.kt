package vivavoce.client

import io.grpc.CallOptions
import io.grpc.Channel
import io.grpc.ClientCall
import io.grpc.Metadata
import io.grpc.MethodDescriptor
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.async
import kotlinx.coroutines.test.currentTime
import kotlinx.coroutines.test.runCurrent
import kotlinx.coroutines.test.runTest
import vivavoce.conversation.v1.ConverseRequest
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

private val ANYTHING = ConverseRequest.getDefaultInstance()

/** A way to a server that takes nothing and says nothing. */
private object Deaf : Channel() {
    override fun authority() = "nowhere"

    override fun <Q, A> newCall(method: MethodDescriptor<Q, A>, options: CallOptions) = object : ClientCall<Q, A>() {
        override fun start(listener: Listener<A>, headers: Metadata) = Unit

        override fun request(count: Int) = Unit

        override fun cancel(message: String?, cause: Throwable?) = Unit

        override fun halfClose() = Unit

        override fun sendMessage(message: Q) = Unit

        override fun isReady() = false
    }
}

@OptIn(ExperimentalCoroutinesApi::class)
class GrpcWireTest {
    @Test
    fun `a wire that takes nothing for ten seconds is cut, for who sends and for who listens`() = runTest {
        val wire = GrpcWire(Deaf, "token", ANYTHING)
        val listening = async { assertFailsWith<UnreachableException> { wire.receive { } } }
        runCurrent()
        assertFailsWith<UnreachableException> { wire.send(ANYTHING) }
        listening.await()
        assertEquals(10_000, currentTime)
    }
}

package vivavoce.client

import io.grpc.ManagedChannel
import io.grpc.MethodDescriptor
import io.grpc.okhttp.OkHttpChannelBuilder
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import vivavoce.conversation.v1.ConversationSettings
import vivavoce.conversation.v1.StartSession
import vivavoce.type.v1.AudioEncoding
import vivavoce.type.v1.AudioFormat
import vivavoce.type.v1.ErrorReason
import java.util.concurrent.TimeUnit

private const val NAME = "vivavoce kotlin"
private const val INPUT_HZ = 16_000
private const val OUTPUT_HZ = 24_000
private const val KEEPALIVE_S = 25L
private const val KEEPALIVE_ANSWER_S = 10L

/**
 * The way in: a server, a person, and the conversations they hold.
 *
 * Connects to [address], host:port, with the first call, and calls in the name of whoever signs in by [signIn]. Where
 * the sign-in has a refresh token, [keep] is given it each time it changes: by [SignIn.Kept] the person is still signed
 * in after a restart of the program. [name] is what lists of login sessions show of this program.
 */
public class Vivavoce(
    address: String,
    private val signIn: SignIn = SignIn.Guest,
    tls: Tls = Tls.Off,
    private val name: String = NAME,
    keep: (refreshToken: String) -> Unit = {},
) : AutoCloseable {
    private val channel: ManagedChannel =
        OkHttpChannelBuilder
            .forTarget(address, credentialsOf(tls))
            .keepAliveTime(KEEPALIVE_S, TimeUnit.SECONDS)
            .keepAliveTimeout(KEEPALIVE_ANSWER_S, TimeUnit.SECONDS)
            .build()
    private val calls = Calls(channel)
    private val access = Access(calls, name, keep)
    private val signingIn = Mutex()
    private var signedIn = false

    /** Signs in [how], now and in place of whoever was. Throws [VivavoceException], such as BAD_CREDENTIALS. */
    public suspend fun signIn(how: SignIn): Unit = signingIn.withLock {
        access.signIn(how)
        signedIn = true
    }

    /**
     * The answer of a unary RPC, such as `UserServiceGrpc.getGetUserMethod()`; renews the access token if need be.
     *
     * Throws [VivavoceException], what the server answered instead.
     */
    public suspend fun <Q, A> call(method: MethodDescriptor<Q, A>, request: Q): A {
        val token = ready().token
        try {
            return calls.call(method, request, token)
        } catch (error: VivavoceException) {
            if (error.reason != ErrorReason.ERROR_REASON_TOKEN_INVALID) throw error
        }
        return calls.call(method, request, access.renew(token))
    }

    /**
     * Holds a new conversation, or an earlier one by its id, for the length of [block].
     *
     * Replies go into [loudspeaker], at 24 kHz; [inputHz] is the rate of the learner's sound. At the end of the block the
     * session is left; let [Conversation.end] end it before. Throws [VivavoceException] where the server refuses it or
     * can't be reached.
     */
    public suspend fun <T> converse(
        settings: ConversationSettings = ConversationSettings.getDefaultInstance(),
        conversationId: String = "",
        inputHz: Int = INPUT_HZ,
        loudspeaker: Loudspeaker = JitterBuffer(OUTPUT_HZ),
        block: suspend (Conversation) -> T,
    ): T {
        val access = ready()
        val start = StartSession.newBuilder().setClient(name).setInputAudio(pcm(inputHz)).setOutputAudio(pcm(OUTPUT_HZ))
        if (conversationId.isEmpty()) start.newConversation = settings else start.conversationId = conversationId
        val wire =
            LastingWire(start.build(), { access.renew() }) { first ->
                // After a cut it would wait longer and longer before it connects.
                channel.resetConnectBackoff()
                GrpcWire(channel, access.token, first)
            }
        val confined = Dispatchers.Default.limitedParallelism(1)
        val conversation = Conversation(loudspeaker, inputHz, wire, confined) { access.renew() }
        return held(conversation, block)
    }

    /** Closes the channel. */
    override fun close() {
        channel.shutdownNow()
    }

    private suspend fun <T> held(conversation: Conversation, block: suspend (Conversation) -> T): T = coroutineScope {
        val running = launch { conversation.run() }
        try {
            conversation.opened()
            block(conversation)
        } finally {
            running.cancelAndJoin()
        }
    }

    private suspend fun ready(): Access = signingIn.withLock {
        if (!signedIn) access.signIn(signIn)
        signedIn = true
        access
    }
}

private fun pcm(rateHz: Int): AudioFormat = AudioFormat
    .newBuilder()
    .setEncoding(AudioEncoding.AUDIO_ENCODING_PCM_S16LE)
    .setSampleRateHz(rateHz)
    .build()

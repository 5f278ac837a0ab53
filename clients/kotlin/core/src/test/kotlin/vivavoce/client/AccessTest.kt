package vivavoce.client

import com.google.protobuf.Any
import io.grpc.Context
import io.grpc.Contexts
import io.grpc.InsecureServerCredentials
import io.grpc.Metadata
import io.grpc.Server
import io.grpc.ServerCall
import io.grpc.ServerCallHandler
import io.grpc.ServerInterceptor
import io.grpc.Status
import io.grpc.okhttp.OkHttpServerBuilder
import io.grpc.stub.StreamObserver
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.AfterEach
import vivavoce.client.status.BadRequest
import vivavoce.client.status.CallStatus
import vivavoce.client.status.ErrorInfo
import vivavoce.type.v1.ErrorReason
import vivavoce.user.v1.CreateGuestRequest
import vivavoce.user.v1.CreateGuestResponse
import vivavoce.user.v1.GetUserRequest
import vivavoce.user.v1.GetUserResponse
import vivavoce.user.v1.LogInRequest
import vivavoce.user.v1.LogInResponse
import vivavoce.user.v1.RefreshTokensRequest
import vivavoce.user.v1.RefreshTokensResponse
import vivavoce.user.v1.RegisterUserRequest
import vivavoce.user.v1.RegisterUserResponse
import vivavoce.user.v1.Tokens
import vivavoce.user.v1.User
import vivavoce.user.v1.UserServiceGrpc
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.time.Duration.Companion.seconds

/** Who calls, by which token, and how long: against a user service over gRPC. */
class AccessTest {
    private val people = People()
    private val server: Server =
        OkHttpServerBuilder
            .forPort(0, InsecureServerCredentials.create())
            .addService(people)
            .intercept(people.whoCalls)
            .build()
            .start()
    private val kept = mutableListOf<String>()

    @AfterEach
    fun stop() {
        server.shutdownNow()
    }

    @Test
    fun `without anything else it calls as a new guest, once`() = calling(SignIn.Guest) { client ->
        assertEquals("guest", client.who())
        assertEquals("guest", client.who())
        assertEquals(1, people.guests)
        assertEquals(listOf("renew-0"), kept)
    }

    @Test
    fun `it calls as somebody who logs in, and as somebody who makes an account`() =
        calling(SignIn.Account("ada@example.org", "a long password")) { client ->
            assertEquals("ada@example.org", client.who())
            client.signIn(SignIn.Registration("new@example.org", "a long password"))
            assertEquals("new@example.org", client.who())
        }

    @Test
    fun `a token that has expired is renewed, once for all who call`() = calling(SignIn.Guest) { client ->
        client.who()
        people.expire()
        val answers = coroutineScope { List(8) { async { client.who() } }.awaitAll() }
        assertEquals(setOf("guest"), answers.toSet())
        assertEquals(1, people.renewals)
        assertEquals(listOf("renew-0", "renew-1"), kept)
    }

    @Test
    fun `who signed in before goes on by the refresh token that was kept`() =
        calling(SignIn.Kept("renew-0")) { client ->
            assertEquals("guest", client.who())
            assertEquals(listOf("renew-1"), kept)
        }

    @Test
    fun `a personal access token is shown as it is`() = calling(SignIn.Token("vvk_1")) { client ->
        assertEquals("vvk_1", client.who())
        people.expire()
        assertEquals("It expired.", assertFailsWith<VivavoceException> { client.who() }.message)
    }

    @Test
    fun `what is refused carries its reason, its field, when to come again, and what to do`() =
        calling(SignIn.Account("bob@example.org", "wrong")) { client ->
            val error = assertFailsWith<VivavoceException> { client.who() }
            assertEquals("Too many guesses; try again in 3 s.", error.message)
            assertEquals(ErrorReason.ERROR_REASON_RATE_LIMITED, error.reason)
            assertEquals("password", error.field)
            assertEquals(3.seconds, error.retryAfter)
            assertEquals(Remedy.RETRY, error.remedy)
        }

    @Test
    fun `a server that is away can't be reached`() = calling(SignIn.Guest) { client ->
        server.shutdownNow().awaitTermination()
        assertEquals(Remedy.RETRY, assertFailsWith<UnreachableException> { client.who() }.remedy)
    }

    private fun calling(signIn: SignIn, block: suspend (Vivavoce) -> Unit) = runBlocking {
        Vivavoce("127.0.0.1:${server.port}", signIn, keep = { kept += it }).use { block(it) }
    }

    private suspend fun Vivavoce.who(): String =
        call(UserServiceGrpc.getGetUserMethod(), GetUserRequest.getDefaultInstance()).user.userId
}

/** Issues tokens `NAME/n`, of which those with the latest n hold. */
private class People : UserServiceGrpc.UserServiceImplBase() {
    var guests = 0
    var renewals = 0
    private var latest = 0

    val whoCalls =
        object : ServerInterceptor {
            override fun <Q, A> interceptCall(
                call: ServerCall<Q, A>,
                headers: Metadata,
                next: ServerCallHandler<Q, A>,
            ): ServerCall.Listener<Q> {
                val token = headers.get(AUTHORIZATION).orEmpty().removePrefix("Bearer ")
                return Contexts.interceptCall(Context.current().withValue(TOKEN, token), call, headers, next)
            }
        }

    @Synchronized
    fun expire() {
        latest += 1
    }

    @Synchronized
    override fun createGuest(request: CreateGuestRequest, answer: StreamObserver<CreateGuestResponse>) {
        guests += 1
        answer.give(CreateGuestResponse.newBuilder().setTokens(tokens("guest")).build())
    }

    @Synchronized
    override fun logIn(request: LogInRequest, answer: StreamObserver<LogInResponse>) {
        if (request.password == "wrong") return answer.onError(tooManyGuesses())
        answer.give(LogInResponse.newBuilder().setTokens(tokens(request.email)).build())
    }

    @Synchronized
    override fun registerUser(request: RegisterUserRequest, answer: StreamObserver<RegisterUserResponse>) =
        answer.give(RegisterUserResponse.newBuilder().setTokens(tokens(request.email)).build())

    @Synchronized
    override fun refreshTokens(request: RefreshTokensRequest, answer: StreamObserver<RefreshTokensResponse>) {
        check(request.refreshToken == "renew-$renewals") { "it works once" }
        renewals += 1
        answer.give(RefreshTokensResponse.newBuilder().setTokens(tokens("guest")).build())
    }

    @Synchronized
    override fun getUser(request: GetUserRequest, answer: StreamObserver<GetUserResponse>) {
        val (name, number) = "${TOKEN.get()}/0".split('/')
        if (number.toInt() < latest) return answer.onError(expired())
        answer.give(GetUserResponse.newBuilder().setUser(User.newBuilder().setUserId(name)).build())
    }

    private fun tokens(name: String) =
        Tokens.newBuilder().setAccessToken("$name/$latest").setRefreshToken("renew-$renewals")

    private fun expired() =
        failed(Status.UNAUTHENTICATED, "It expired.", ErrorInfo.newBuilder().setReason("TOKEN_INVALID"))

    private fun tooManyGuesses() = failed(
        Status.RESOURCE_EXHAUSTED,
        "Too many guesses; try again in 3 s.",
        ErrorInfo.newBuilder().setReason("RATE_LIMITED").putMetadata("retry_after_s", "3"),
        "password",
    )

    private fun failed(status: Status, message: String, info: ErrorInfo.Builder, field: String = ""): Throwable {
        val told = CallStatus.newBuilder().setMessage(message).addDetails(any("ErrorInfo", info.build().toByteString()))
        if (field.isNotEmpty()) {
            val violation = BadRequest.FieldViolation.newBuilder().setField(field)
            told.addDetails(
                any("BadRequest", BadRequest.newBuilder().addFieldViolations(violation).build().toByteString()),
            )
        }
        val trailers = Metadata().apply { put(DETAILS, told.build().toByteArray()) }
        return status.withDescription(message).asRuntimeException(trailers)
    }

    private fun any(type: String, value: com.google.protobuf.ByteString) =
        Any.newBuilder().setTypeUrl("type.googleapis.com/google.rpc.$type").setValue(value)

    private fun <A> StreamObserver<A>.give(value: A) {
        onNext(value)
        onCompleted()
    }

    private companion object {
        val TOKEN: Context.Key<String> = Context.key("token")
        val AUTHORIZATION: Metadata.Key<String> = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER)
        val DETAILS: Metadata.Key<ByteArray> =
            Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER)
    }
}

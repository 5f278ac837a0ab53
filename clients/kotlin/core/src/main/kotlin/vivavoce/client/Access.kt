package vivavoce.client

import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import vivavoce.type.v1.ErrorReason
import vivavoce.user.v1.CreateGuestRequest
import vivavoce.user.v1.LogInRequest
import vivavoce.user.v1.RefreshTokensRequest
import vivavoce.user.v1.RegisterUserRequest
import vivavoce.user.v1.Tokens
import vivavoce.user.v1.UserServiceGrpc

/** What personal access tokens begin with; each time one is shown it is exchanged anew. */
private const val LASTING = "vvk_"

/** A token for as long as it is needed: a given one, or one that renews itself. */
internal class Access(
    private val calls: Calls,
    private val client: String,
    private val keep: (refreshToken: String) -> Unit,
) {
    // A refresh token works once: who finds another renewing waits for what comes of it.
    private val renewing = Mutex()
    private var refreshToken = ""

    @Volatile
    var token = ""
        private set

    /** Begins to call in somebody's name. Throws [VivavoceException], such as BAD_CREDENTIALS. */
    suspend fun signIn(how: SignIn): Unit = renewing.withLock {
        when (how) {
            is SignIn.Guest -> take(guest())
            is SignIn.Account -> take(logIn(how))
            is SignIn.Registration -> take(register(how))
            is SignIn.Kept -> take(refresh(how.refreshToken))
            is SignIn.Token -> {
                token = how.token
                refreshToken = ""
            }
        }
    }

    /** A token that holds for a while again, for [stale], which expires soon. Throws where there is none to be had. */
    suspend fun renew(stale: String = token): String = renewing.withLock {
        if (token != stale || token.startsWith(LASTING)) return token
        if (refreshToken.isEmpty()) {
            throw VivavoceException(
                "The access token expires soon, and the talk ends then; give a personal access token to talk longer.",
                ErrorReason.ERROR_REASON_TOKEN_INVALID,
            )
        }
        take(refresh(refreshToken))
        token
    }

    private fun take(tokens: Tokens) {
        token = tokens.accessToken
        refreshToken = tokens.refreshToken
        keep(refreshToken)
    }

    private suspend fun guest(): Tokens {
        val request = CreateGuestRequest.newBuilder().setClient(client).build()
        return calls.call(UserServiceGrpc.getCreateGuestMethod(), request).tokens
    }

    private suspend fun logIn(how: SignIn.Account): Tokens {
        val request = LogInRequest.newBuilder().setEmail(how.email).setPassword(how.password).setClient(client)
        return calls.call(UserServiceGrpc.getLogInMethod(), request.build()).tokens
    }

    private suspend fun register(how: SignIn.Registration): Tokens {
        val request = RegisterUserRequest.newBuilder().setEmail(how.email).setPassword(how.password)
        request.setProfile(how.profile).setClient(client)
        return calls.call(UserServiceGrpc.getRegisterUserMethod(), request.build()).tokens
    }

    private suspend fun refresh(refreshToken: String): Tokens {
        val request = RefreshTokensRequest.newBuilder().setRefreshToken(refreshToken).build()
        return calls.call(UserServiceGrpc.getRefreshTokensMethod(), request).tokens
    }
}

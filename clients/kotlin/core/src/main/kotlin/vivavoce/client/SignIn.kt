package vivavoce.client

import vivavoce.user.v1.Profile

/** How a program proves who talks. */
public sealed interface SignIn {
    /** As a new guest: one click, no address. */
    public data object Guest : SignIn

    /** As somebody with an account. */
    public class Account(internal val email: String, internal val password: String) : SignIn

    /** As somebody who makes an account now; a password has at least 12 characters. */
    public class Registration(
        internal val email: String,
        internal val password: String,
        internal val profile: Profile = Profile.getDefaultInstance(),
    ) : SignIn

    /** By a personal access token (`vvk_…`), or by an access token that somebody else renews. */
    public class Token(internal val token: String) : SignIn

    /** As whoever signed in before: by the refresh token kept last, which works once. */
    public class Kept(internal val refreshToken: String) : SignIn
}

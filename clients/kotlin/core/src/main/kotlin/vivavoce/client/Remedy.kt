package vivavoce.client

import vivavoce.type.v1.ErrorReason

/** What to do about an error. */
public enum class Remedy {
    /** Mend the field at fault. */
    MEND,

    /** Let the person sign in anew. */
    SIGN_IN,

    /** Send the same again after a while. */
    RETRY,

    /** Nothing that a program could do. */
    NONE,
}

internal fun remedyOf(reason: ErrorReason): Remedy = when (reason) {
    ErrorReason.ERROR_REASON_INVALID_FIELD,
    ErrorReason.ERROR_REASON_BAD_AUDIO,
    -> Remedy.MEND

    ErrorReason.ERROR_REASON_TOKEN_MISSING,
    ErrorReason.ERROR_REASON_TOKEN_INVALID,
    ErrorReason.ERROR_REASON_BAD_CREDENTIALS,
    -> Remedy.SIGN_IN

    ErrorReason.ERROR_REASON_OVERLOADED,
    ErrorReason.ERROR_REASON_RATE_LIMITED,
    ErrorReason.ERROR_REASON_AUDIO_TOO_FAST,
    ErrorReason.ERROR_REASON_TOO_SLOW,
    ErrorReason.ERROR_REASON_DEADLINE,
    ErrorReason.ERROR_REASON_CONFLICT,
    ErrorReason.ERROR_REASON_PROVIDER_FAILED,
    ErrorReason.ERROR_REASON_SERVICE_UNAVAILABLE,
    ErrorReason.ERROR_REASON_DRAINING,
    -> Remedy.RETRY

    else -> Remedy.NONE
}

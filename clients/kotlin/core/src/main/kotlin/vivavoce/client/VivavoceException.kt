package vivavoce.client

import vivavoce.type.v1.ErrorReason
import kotlin.time.Duration

/**
 * The server refused. [message] says what happened and what can be done, for people.
 *
 * [reason] is the contract's, [field] the path of the one at fault in the request, if any; [retryAfter] is told where the
 * same may succeed after so long, and [remedy] is what a program can do about it.
 */
public open class VivavoceException internal constructor(
    override val message: String,
    public val reason: ErrorReason = ErrorReason.ERROR_REASON_INTERNAL,
    public val field: String = "",
    public val retryAfter: Duration? = null,
    cause: Throwable? = null,
) : Exception(message, cause) {
    public val remedy: Remedy get() = remedyOf(reason)
}

/** The server is away, or the wire was cut; the same may succeed after a while. */
public class UnreachableException internal constructor(
    message: String,
    reason: ErrorReason = ErrorReason.ERROR_REASON_SERVICE_UNAVAILABLE,
    retryAfter: Duration? = null,
    cause: Throwable? = null,
) : VivavoceException(message, reason, retryAfter = retryAfter, cause = cause)

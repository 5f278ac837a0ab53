package vivavoce.client

import com.google.protobuf.Any
import com.google.protobuf.InvalidProtocolBufferException
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import vivavoce.client.status.BadRequest
import vivavoce.client.status.CallStatus
import vivavoce.client.status.ErrorInfo
import vivavoce.type.v1.ErrorReason
import vivavoce.type.v1.Failure
import kotlin.time.Duration
import kotlin.time.Duration.Companion.seconds

private val DETAILS = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER)
private const val PREFIX = "ERROR_REASON_"
private const val RETRY_AFTER = "retry_after_s"

/** What a cut wire looks like, where the server gave no reason of its own. */
private val CUT =
    setOf(
        Status.Code.UNAVAILABLE,
        Status.Code.CANCELLED,
        Status.Code.UNKNOWN,
        Status.Code.ABORTED,
        Status.Code.INTERNAL,
    )

/** The error behind a call that failed. */
internal fun ofCall(error: StatusException): VivavoceException {
    val details = detailsOf(error.trailers)
    val code = error.status.code
    val message = details.message ?: error.status.description ?: "The call failed with $code."
    val isCut = if (details.reason == null) code in CUT else code == Status.Code.UNAVAILABLE
    if (isCut) {
        val reason = details.reason ?: ErrorReason.ERROR_REASON_SERVICE_UNAVAILABLE
        return UnreachableException(message, reason, details.retryAfter, error)
    }
    val reason = details.reason ?: plainReason(code)
    return VivavoceException(message, reason, details.field, details.retryAfter, error)
}

/** The error that a failure inside a stream stands for. */
internal fun ofFailure(failure: Failure): VivavoceException =
    VivavoceException(failure.message, failure.reason, failure.field)

private class Details(
    val message: String? = null,
    val reason: ErrorReason? = null,
    val field: String = "",
    val retryAfter: Duration? = null,
)

private fun detailsOf(trailers: Metadata?): Details {
    val bytes = trailers?.get(DETAILS) ?: return Details()
    val status =
        try {
            CallStatus.parseFrom(bytes)
        } catch (_: InvalidProtocolBufferException) {
            // Some proxy's own: the code of the call stands alone.
            return Details()
        }
    val info = status.detailsList.find { it.holds("google.rpc.ErrorInfo") }?.let { ErrorInfo.parseFrom(it.value) }
    val request = status.detailsList.find { it.holds("google.rpc.BadRequest") }?.let { BadRequest.parseFrom(it.value) }
    return Details(
        message = status.message,
        reason = info?.let { reasonOf(it.reason) },
        field = request?.fieldViolationsList?.firstOrNull()?.field.orEmpty(),
        retryAfter = info?.metadataMap?.get(RETRY_AFTER)?.toDoubleOrNull()?.seconds,
    )
}

private fun Any.holds(type: String): Boolean = typeUrl.substringAfterLast('/') == type

/** By its name; a reason of a newer server is not told apart. */
private fun reasonOf(name: String): ErrorReason =
    ErrorReason.entries.find { it.name == PREFIX + name } ?: ErrorReason.UNRECOGNIZED

private fun plainReason(code: Status.Code): ErrorReason =
    if (code == Status.Code.DEADLINE_EXCEEDED) ErrorReason.ERROR_REASON_DEADLINE else ErrorReason.ERROR_REASON_INTERNAL

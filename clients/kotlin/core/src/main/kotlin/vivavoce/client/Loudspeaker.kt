package vivavoce.client

/** A reply, and how many samples of it were played; an empty id where there is none. */
public data class Played(public val replyId: String, public val samples: Long)

/**
 * What plays replies; a [JitterBuffer] unless the program brings its own.
 *
 * Nothing of it waits: it is steered between two messages of the server.
 */
public interface Loudspeaker {
    /** Queues more of a reply from a position on; another reply than before replaces what is queued. */
    public fun play(replyId: String, firstSample: Long, pcm: ByteArray)

    /** All of a reply has come. */
    public fun end(replyId: String)

    /** Stops at once and keeps what is queued: the learner may be interrupting. */
    public fun pause()

    /** Plays on from a sample of the current reply. */
    public fun resume(fromSample: Long)

    /** Stops and drops what is queued: the learner interrupted. */
    public fun drop()

    /** The current reply and the samples of it that were played. The tutor remembers only that. */
    public fun played(): Played
}

package vivavoce.client

internal const val BYTES_A_SAMPLE = 2

/** Sound that is waited for before a reply begins, or goes on after it ran dry; so much more after each time it did. */
private const val SHORTEST_S = 0.04
private const val MORE_S = 0.04
private const val LONGEST_S = 0.4

/** A second of sound at 24 kHz, to begin with. */
private const val ROOM = 48_000

/**
 * Takes replies as the network brings them, gives a sound card what it asks for, and counts it.
 *
 * Plays one reply at a time. May be called from any thread, [pull] by that of a sound card.
 */
public class JitterBuffer(private val rateHz: Int) : Loudspeaker {
    private var replyId = ""
    private var pcm = ByteArray(ROOM)
    private var size = 0
    private var taken = 0
    private var playing = false
    private var complete = false

    /** Whether sound has to gather before it plays on. */
    private var gathering = true
    private var waitS = SHORTEST_S

    @Synchronized
    override fun play(replyId: String, firstSample: Long, pcm: ByteArray) {
        if (replyId != this.replyId) begin(replyId)
        val place = Math.toIntExact(firstSample * BYTES_A_SAMPLE)
        makeRoom(place + pcm.size)
        // What was lost on the way is silence.
        if (place > size) this.pcm.fill(0, size, place)
        pcm.copyInto(this.pcm, place)
        size = maxOf(size, place + pcm.size)
    }

    @Synchronized
    override fun end(replyId: String) {
        complete = complete || replyId == this.replyId
    }

    @Synchronized
    override fun pause() {
        playing = false
    }

    @Synchronized
    override fun resume(fromSample: Long) {
        taken = minOf(fromSample * BYTES_A_SAMPLE, size.toLong()).toInt()
        playing = true
    }

    @Synchronized
    override fun drop() {
        begin("")
        playing = false
    }

    @Synchronized
    override fun played(): Played = Played(replyId, (taken / BYTES_A_SAMPLE).toLong())

    /** The next [samples] for the sound card; silence where there is nothing to play, or not enough yet. */
    @Synchronized
    public fun pull(samples: Int): ByteArray {
        val sound = ByteArray(samples * BYTES_A_SAMPLE)
        if (!ready()) return sound
        val given = minOf(sound.size, size - taken)
        pcm.copyInto(sound, 0, taken, taken + given)
        taken += given
        if (given in 1..<sound.size && !complete) {
            // It ran dry in the middle: the network is less even than it was taken for.
            gathering = true
            waitS = minOf(LONGEST_S, waitS + MORE_S)
        }
        return sound
    }

    private fun begin(replyId: String) {
        this.replyId = replyId
        size = 0
        taken = 0
        playing = true
        complete = false
        gathering = true
    }

    private fun makeRoom(wanted: Int) {
        if (wanted > pcm.size) pcm = pcm.copyOf(maxOf(wanted, 2 * pcm.size))
    }

    private fun ready(): Boolean {
        if (!playing) return false
        val queuedS = (size - taken).toDouble() / (BYTES_A_SAMPLE * rateHz)
        if (gathering && (complete || queuedS >= waitS)) gathering = false
        return !gathering
    }
}

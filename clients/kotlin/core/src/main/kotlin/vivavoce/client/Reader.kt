package vivavoce.client

/** A loudspeaker for programs that read what the tutor says: plays nothing, and all that came counts as heard. */
public class Reader : Loudspeaker {
    private var current = Played("", 0)

    @Synchronized
    override fun play(replyId: String, firstSample: Long, pcm: ByteArray) {
        val before = if (replyId == current.replyId) current.samples else 0
        current = Played(replyId, maxOf(before, firstSample + pcm.size / BYTES_A_SAMPLE))
    }

    override fun end(replyId: String): Unit = Unit

    override fun pause(): Unit = Unit

    override fun resume(fromSample: Long): Unit = Unit

    @Synchronized
    override fun drop() {
        current = Played("", 0)
    }

    @Synchronized
    override fun played(): Played = current
}

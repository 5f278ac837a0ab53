package vivavoce.client

import com.google.protobuf.ByteString
import vivavoce.conversation.v1.AppendAudio

/** Remembers the learner's latest sound, the oldest forgotten first: what a cut wire swallowed can be sent again. */
internal class RecentSound(private val longestSamples: Long) {
    private val pieces = ArrayDeque<AppendAudio>()

    /** Position of the next sample in the session. */
    var next = 0L
        private set

    /** Takes the next piece in; the message that sends it. */
    fun add(pcm: ByteString): AppendAudio {
        val piece = AppendAudio.newBuilder().setFirstSample(next).setPcm(pcm).build()
        pieces.addLast(piece)
        next += pcm.size() / BYTES_A_SAMPLE
        while (next - pieces.first().firstSample > longestSamples) pieces.removeFirst()
        return piece
    }

    /** What came from a position on, numbered anew from where the server goes on. */
    fun again(fromSample: Long, nextSample: Long): List<AppendAudio> {
        val lost = pieces.filter { it.firstSample >= fromSample }
        pieces.clear()
        next = nextSample
        return lost.map { add(it.pcm) }
    }
}

package vivavoce.example

import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import vivavoce.client.JitterBuffer
import vivavoce.client.Microphone
import java.io.ByteArrayOutputStream
import kotlin.time.Duration.Companion.milliseconds
import kotlin.time.TimeSource

private const val FRAME_MS = 20
private const val BYTES_A_SAMPLE = 2

/** A microphone before which recordings are played; between them it is quiet. */
class Recordings : Microphone {
    private var speaking = ByteArray(0)
    private var said = 0

    /** Whether nothing is being said. */
    val quiet: Boolean
        @Synchronized get() = said >= speaking.size

    /** Says a recording, from now on. */
    @Synchronized
    fun say(pcm: ByteArray) {
        speaking = pcm
        said = 0
    }

    override fun sound(rateHz: Int): Flow<ByteArray> = flow {
        everyFrame { emit(next(rateHz * FRAME_MS / 1000 * BYTES_A_SAMPLE)) }
    }

    @Synchronized
    private fun next(size: Int): ByteArray {
        val frame = ByteArray(size)
        val given = minOf(size, speaking.size - said).coerceAtLeast(0)
        speaking.copyInto(frame, 0, said, said + given)
        said += given
        return frame
    }
}

/** A sound card that keeps what it plays; there is silence where nothing sounds. */
class Tape(private val buffer: JitterBuffer, private val rateHz: Int) {
    private val kept = ByteArrayOutputStream()

    /** Everything that sounded. */
    val pcm: ByteArray get() = kept.toByteArray()

    /** Plays until it is cancelled. */
    suspend fun play(): Unit = everyFrame { kept.write(buffer.pull(rateHz * FRAME_MS / 1000)) }
}

/** In step with the clock, whatever the machine is busy with meanwhile. */
private suspend fun everyFrame(act: suspend () -> Unit) {
    val began = TimeSource.Monotonic.markNow()
    var frames = 0
    while (true) {
        act()
        frames += 1
        delay((frames * FRAME_MS).milliseconds - began.elapsedNow())
    }
}

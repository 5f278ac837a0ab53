package vivavoce.sample

import android.media.AudioAttributes
import android.media.AudioFormat
import android.media.AudioTrack
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.isActive
import kotlinx.coroutines.withContext
import vivavoce.client.JitterBuffer

private const val FRAMES_A_SECOND = 50
private const val BYTES_A_SAMPLE = 2

/** Plays what a [JitterBuffer] gives through the phone, as a call. */
class PhoneSpeaker(private val buffer: JitterBuffer, private val rateHz: Int) {
    private val format =
        AudioFormat
            .Builder()
            .setEncoding(AudioFormat.ENCODING_PCM_16BIT)
            .setSampleRate(rateHz)
            .setChannelMask(AudioFormat.CHANNEL_OUT_MONO)
            .build()
    private val attributes =
        AudioAttributes
            .Builder()
            .setUsage(AudioAttributes.USAGE_VOICE_COMMUNICATION)
            .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
            .build()

    /** Plays until it is cancelled. What waits in the track is short: an interruption is heard at once. */
    suspend fun play(): Unit = withContext(Dispatchers.IO) {
        val samples = rateHz / FRAMES_A_SECOND
        val least =
            AudioTrack.getMinBufferSize(
                rateHz,
                AudioFormat.CHANNEL_OUT_MONO,
                AudioFormat.ENCODING_PCM_16BIT,
            )
        val track =
            AudioTrack
                .Builder()
                .setAudioFormat(format)
                .setAudioAttributes(attributes)
                .setPerformanceMode(AudioTrack.PERFORMANCE_MODE_LOW_LATENCY)
                .setBufferSizeInBytes(maxOf(least, 2 * samples * BYTES_A_SAMPLE))
                .build()
        try {
            track.play()
            while (currentCoroutineContext().isActive) {
                val pcm = buffer.pull(samples)
                check(track.write(pcm, 0, pcm.size) >= 0) { "The loudspeaker takes no sound." }
            }
        } finally {
            track.release()
        }
    }
}

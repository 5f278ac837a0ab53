package vivavoce.sample

import android.Manifest
import android.media.AudioFormat
import android.media.AudioRecord
import android.media.MediaRecorder
import androidx.annotation.RequiresPermission
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.isActive
import vivavoce.client.Microphone

private const val FRAMES_A_SECOND = 25
private const val BYTES_A_SAMPLE = 2

/** The phone's microphone as telephony uses it: what the loudspeaker plays is taken out, else the tutor hears itself. */
class PhoneMicrophone
    @RequiresPermission(Manifest.permission.RECORD_AUDIO)
    constructor() : Microphone {
        override fun sound(rateHz: Int): Flow<ByteArray> = flow {
            val frame = rateHz / FRAMES_A_SECOND * BYTES_A_SAMPLE
            val least = AudioRecord.getMinBufferSize(rateHz, CHANNEL, ENCODING)
            val record =
                AudioRecord(
                    MediaRecorder.AudioSource.VOICE_COMMUNICATION,
                    rateHz,
                    CHANNEL,
                    ENCODING,
                    maxOf(
                        least,
                        4 * frame,
                    ),
                )
            try {
                record.startRecording()
                while (currentCoroutineContext().isActive) {
                    val pcm = ByteArray(frame)
                    val read = record.read(pcm, 0, frame)
                    check(read >= 0) { "The microphone gives no sound ($read); another app may hold it." }
                    emit(pcm.copyOf(read))
                }
            } finally {
                record.release()
            }
        }.flowOn(Dispatchers.IO)

        private companion object {
            const val CHANNEL = AudioFormat.CHANNEL_IN_MONO
            const val ENCODING = AudioFormat.ENCODING_PCM_16BIT
        }
    }

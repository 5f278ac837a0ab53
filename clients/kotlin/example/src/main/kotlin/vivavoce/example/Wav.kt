package vivavoce.example

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val HEADER = 44
private const val RATE_AT = 24
private const val CHANNELS_AT = 22
private const val BITS_AT = 34
private const val BYTES_A_SAMPLE = 2

/** The samples of a WAV file with one channel of 16 bits at [rateHz]. */
fun readWav(file: File, rateHz: Int): ByteArray {
    val bytes = ByteBuffer.wrap(file.readBytes()).order(ByteOrder.LITTLE_ENDIAN)
    val fits =
        bytes.capacity() >= HEADER &&
            bytes.getShort(CHANNELS_AT).toInt() == 1 &&
            bytes.getShort(BITS_AT).toInt() == 8 * BYTES_A_SAMPLE &&
            bytes.getInt(RATE_AT) == rateHz
    require(fits) { "$file is no WAV file with one channel of 16 bits at $rateHz Hz; sox can make it one." }
    return bytes.array().copyOfRange(HEADER, bytes.capacity())
}

/** Writes samples of one channel as a WAV file. */
fun writeWav(file: File, rateHz: Int, pcm: ByteArray) {
    val bytes = ByteBuffer.allocate(HEADER + pcm.size).order(ByteOrder.LITTLE_ENDIAN)
    bytes.put("RIFF".toByteArray()).putInt(HEADER - 8 + pcm.size).put("WAVEfmt ".toByteArray())
    bytes.putInt(16).putShort(1).putShort(1)
    bytes.putInt(rateHz).putInt(rateHz * BYTES_A_SAMPLE)
    bytes.putShort(BYTES_A_SAMPLE.toShort()).putShort((8 * BYTES_A_SAMPLE).toShort())
    bytes.put("data".toByteArray()).putInt(pcm.size).put(pcm)
    file.writeBytes(bytes.array())
}

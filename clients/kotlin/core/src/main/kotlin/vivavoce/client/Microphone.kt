package vivavoce.client

import kotlinx.coroutines.flow.Flow

/** Where the learner's sound comes from. */
public fun interface Microphone {
    /**
     * The learner's sound as it is captured, 20 to 100 ms at a time: signed 16-bit little-endian samples, one channel.
     *
     * Whoever collects it opens the microphone, and closes it by ceasing to.
     */
    public fun sound(rateHz: Int): Flow<ByteArray>
}

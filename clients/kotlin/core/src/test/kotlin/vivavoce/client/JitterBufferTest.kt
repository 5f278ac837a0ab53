package vivavoce.client

import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals

/** 20 ms at 24 kHz. */
private const val SAMPLES = 480

/** Even sound out of an uneven network, and every sample counted. */
class JitterBufferTest {
    private val buffer = JitterBuffer(24_000)

    @Test
    fun `a reply begins when forty milliseconds have gathered`() {
        buffer.play("rep_1", 0, FRAME)
        assertContentEquals(SILENCE, buffer.pull(SAMPLES))
        buffer.play("rep_1", 480, FRAME)
        assertContentEquals(FRAME, buffer.pull(SAMPLES))
        assertEquals(Played("rep_1", 480), buffer.played())
    }

    @Test
    fun `a short reply that is complete need not gather`() {
        buffer.play("rep_1", 0, FRAME)
        buffer.end("rep_1")
        assertContentEquals(FRAME, buffer.pull(SAMPLES))
    }

    @Test
    fun `after running dry it gathers more before it goes on`() {
        buffer.play("rep_1", 0, FRAME + FRAME)
        assertContentEquals(FRAME + FRAME + SILENCE, buffer.pull(3 * SAMPLES))
        for (place in 2L..4L) {
            buffer.play("rep_1", place * SAMPLES, FRAME)
            assertContentEquals(SILENCE, buffer.pull(SAMPLES))
        }
        buffer.play("rep_1", 5L * SAMPLES, FRAME)
        assertContentEquals(FRAME, buffer.pull(SAMPLES))
    }

    @Test
    fun `a pause is silence and the reply goes on at the sample it is told`() {
        buffer.play("rep_1", 0, FRAME + FRAME + FRAME + FRAME)
        buffer.pull(2 * SAMPLES)
        buffer.pause()
        assertContentEquals(SILENCE, buffer.pull(SAMPLES))
        buffer.resume(480)
        assertContentEquals(FRAME, buffer.pull(SAMPLES))
        assertEquals(Played("rep_1", 960), buffer.played())
    }

    @Test
    fun `what is dropped is neither played nor counted`() {
        buffer.play("rep_1", 0, FRAME + FRAME + FRAME)
        buffer.pull(SAMPLES)
        buffer.drop()
        assertContentEquals(SILENCE, buffer.pull(SAMPLES))
        assertEquals(Played("", 0), buffer.played())
    }

    @Test
    fun `sound that comes again takes its own place, and what was lost is silence`() {
        buffer.play("rep_0", 0, FRAME + FRAME + FRAME)
        buffer.play("rep_1", 0, FRAME)
        buffer.play("rep_1", 960, FRAME)
        buffer.play("rep_1", 960, FRAME + FRAME)
        buffer.end("rep_1")
        assertContentEquals(FRAME + SILENCE + FRAME + FRAME + SILENCE, buffer.pull(5 * SAMPLES))
    }

    @Test
    fun `another reply takes the place of the one before`() {
        buffer.play("rep_1", 0, FRAME + FRAME)
        buffer.pull(SAMPLES)
        buffer.play("rep_2", 0, FRAME + FRAME)
        assertEquals(Played("rep_2", 0), buffer.played())
    }

    @Test
    fun `a reply longer than expected is kept whole`() {
        val long = ByteArray(200_000) { (it % 100).toByte() }
        buffer.play("rep_1", 0, long)
        buffer.end("rep_1")
        assertContentEquals(long, buffer.pull(100_000))
    }

    private companion object {
        val FRAME = ByteArray(2 * SAMPLES) { if (it % 2 == 0) 0x10 else 0x20 }
        val SILENCE = ByteArray(2 * SAMPLES)
    }
}

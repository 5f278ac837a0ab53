package vivavoce.example

import vivavoce.client.Tls
import java.io.File

const val USAGE = """talk --address HOST:PORT [--ca FILE] [--token vvk_…] [--scenario ID] [--out FILE] RECORDING…

With --ca the server is checked against the authorities in that file, PEM; without, it is one on this machine.

Each RECORDING is --wav FILE, said when the tutor has finished, or --into FILE, said into the tutor's reply.
WAV files have one channel of 16 bits at 16 kHz."""

/** A recording to say, and whether to interrupt the tutor with it. */
class Line(val file: File, val interrupts: Boolean)

/** What the command line asks for. */
class Options(words: List<String>) {
    var address = "127.0.0.1:50051"
        private set
    var tls: Tls = Tls.Off
        private set
    var token = ""
        private set
    var scenario = "cafe"
        private set
    var out: File? = null
        private set
    val lines = mutableListOf<Line>()

    init {
        require(words.size % 2 == 0) { USAGE }
        for ((name, value) in words.chunked(2).map { it[0] to it[1] }) {
            when (name) {
                "--address" -> address = value
                "--ca" -> tls = Tls.Roots(File(value).readBytes())
                "--token" -> token = value
                "--scenario" -> scenario = value
                "--out" -> out = File(value)
                "--wav" -> lines += Line(File(value), interrupts = false)
                "--into" -> lines += Line(File(value), interrupts = true)
                else -> throw IllegalArgumentException(USAGE)
            }
        }
    }
}

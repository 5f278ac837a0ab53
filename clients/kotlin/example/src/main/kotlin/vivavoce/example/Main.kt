package vivavoce.example

import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.drop
import kotlinx.coroutines.flow.filter
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import vivavoce.client.JitterBuffer
import vivavoce.client.SignIn
import vivavoce.client.Vivavoce
import vivavoce.client.VivavoceException
import vivavoce.conversation.v1.ConversationSettings
import kotlin.system.exitProcess

private const val INPUT_HZ = 16_000
private const val OUTPUT_HZ = 24_000

/** Talks with a tutor by recordings. */
fun main(words: Array<String>) {
    try {
        runBlocking { talk(Options(words.toList())) }
    } catch (error: IllegalArgumentException) {
        System.err.println(error.message)
        exitProcess(2)
    } catch (error: VivavoceException) {
        System.err.println("${error.message} (${error.reason.name}, ${error.remedy})")
        exitProcess(1)
    }
}

private suspend fun talk(options: Options) {
    val signIn = if (options.token.isEmpty()) SignIn.Guest else SignIn.Token(options.token)
    val settings = ConversationSettings.newBuilder().setScenarioId(options.scenario).build()
    val buffer = JitterBuffer(OUTPUT_HZ)
    val tape = Tape(buffer, OUTPUT_HZ)
    Vivavoce(options.address, signIn, options.tls).use { client ->
        client.converse(settings, inputHz = INPUT_HZ, loudspeaker = buffer) { conversation ->
            coroutineScope {
                val microphone = Recordings()
                val devices =
                    launch {
                        launch { tape.play() }
                        launch { conversation.listenTo(microphone) }
                        launch { conversation.away.drop(1).filter { it }.collect { println("(cut)") } }
                    }
                Talk(conversation, microphone, options.lines, INPUT_HZ).run()
                devices.cancel()
            }
        }
    }
    options.out?.let { writeWav(it, OUTPUT_HZ, tape.pcm) }
}

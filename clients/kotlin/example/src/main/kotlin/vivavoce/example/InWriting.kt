package vivavoce.example

import vivavoce.client.Event
import vivavoce.client.Reader
import vivavoce.client.Vivavoce
import vivavoce.conversation.v1.ConversationSettings

suspend fun main(words: Array<String>) {
    val lines = ArrayDeque(listOf("A large tea, please.", "No, thank you."))
    val cafe = ConversationSettings.newBuilder().setScenarioId("cafe").build()
    Vivavoce(words.firstOrNull() ?: "127.0.0.1:50051").use { client ->
        client.converse(cafe, loudspeaker = Reader()) { conversation ->
            conversation.events.collect { event ->
                if (event is Event.ReplyFinished) {
                    println("Tutor: ${event.heardText}")
                    val line = lines.removeFirstOrNull()
                    line?.let { println("You:   $it") }
                    if (line == null) conversation.end() else conversation.write(line)
                }
            }
        }
    }
}

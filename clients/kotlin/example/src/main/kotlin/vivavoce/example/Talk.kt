package vivavoce.example

import vivavoce.client.Conversation
import vivavoce.client.Event
import vivavoce.conversation.v1.ReplyOutcome

/** Says one recording after another, and tells what is said on both sides. */
class Talk(
    private val conversation: Conversation,
    private val microphone: Recordings,
    lines: List<Line>,
    private val rateHz: Int,
) {
    private val waiting = ArrayDeque(lines)

    /** Whether the tutor has taken the last recording for a turn. */
    private var understood = true

    /** Goes on until the session is over. */
    suspend fun run(): Unit = conversation.events.collect { hear(it) }

    private suspend fun hear(event: Event) {
        when (event) {
            is Event.SessionStarted -> if (event.resumed) println("(back)")
            is Event.TurnCommitted -> understand(event)
            is Event.ReplyAudio -> if (mayInterrupt()) sayNext()
            is Event.ReplyFinished -> finish(event)
            is Event.SlipFound -> println("Better: ${event.correction.better}")
            is Event.ErrorRaised -> println("(${event.error.message})")
            is Event.SessionEnded -> println("(over)")
            else -> Unit
        }
    }

    private fun understand(turn: Event.TurnCommitted) {
        understood = true
        println("You: ${turn.text}")
    }

    private suspend fun finish(reply: Event.ReplyFinished) {
        val heard = reply.outcome == ReplyOutcome.REPLY_OUTCOME_HEARD
        println("Tutor: ${reply.heardText}${if (heard) "" else " —"}")
        if (!heard || !understood || !microphone.quiet) return
        if (waiting.isEmpty()) conversation.end() else sayNext()
    }

    private fun mayInterrupt(): Boolean = waiting.firstOrNull()?.interrupts == true && understood && microphone.quiet

    private fun sayNext() {
        understood = false
        microphone.say(readWav(waiting.removeFirst().file, rateHz))
    }
}

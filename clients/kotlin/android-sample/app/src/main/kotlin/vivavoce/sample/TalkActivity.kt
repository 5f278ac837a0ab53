package vivavoce.sample

import android.Manifest
import android.content.Context
import android.os.Bundle
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ScrollView
import android.widget.TextView
import androidx.activity.ComponentActivity
import androidx.activity.result.contract.ActivityResultContracts
import androidx.lifecycle.lifecycleScope
import kotlinx.coroutines.Job
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import vivavoce.client.Conversation
import vivavoce.client.Event
import vivavoce.client.JitterBuffer
import vivavoce.client.SignIn
import vivavoce.client.Tls
import vivavoce.client.Vivavoce
import vivavoce.client.VivavoceException
import vivavoce.conversation.v1.ConversationSettings

private const val OUTPUT_HZ = 24_000
private const val KEPT = "refresh_token"

/** One button, and what is said on both sides. */
class TalkActivity : ComponentActivity() {
    private val microphoneAllowed =
        registerForActivityResult(ActivityResultContracts.RequestPermission()) { if (it) begin() }
    private lateinit var button: Button
    private lateinit var lines: TextView
    private var talk: Job? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        button = Button(this).apply { setText(R.string.talk) }
        lines = TextView(this)
        button.setOnClickListener { if (talk?.isActive == true) stop() else ask() }
        val page = LinearLayout(this).apply { orientation = LinearLayout.VERTICAL }
        page.addView(button)
        page.addView(ScrollView(this).apply { addView(lines) })
        setContentView(page)
    }

    private fun ask(): Unit = microphoneAllowed.launch(Manifest.permission.RECORD_AUDIO)

    private fun stop() {
        talk?.cancel()
    }

    private fun begin() {
        button.setText(R.string.stop)
        talk =
            lifecycleScope.launch {
                try {
                    talk()
                } catch (error: VivavoceException) {
                    lines.append("${error.message}\n")
                } finally {
                    button.setText(R.string.talk)
                }
            }
    }

    private suspend fun talk() {
        // Who talked before is the same guest again.
        val kept = getPreferences(Context.MODE_PRIVATE)
        val signIn = kept.getString(KEPT, null)?.let { SignIn.Kept(it) } ?: SignIn.Guest
        val keep = { token: String -> kept.edit().putString(KEPT, token).apply() }
        val buffer = JitterBuffer(OUTPUT_HZ)
        val cafe = ConversationSettings.newBuilder().setScenarioId("cafe").build()
        Vivavoce(getString(R.string.server), signIn, Tls.SystemRoots, "vivavoce android sample", keep).use { client ->
            client.converse(cafe, loudspeaker = buffer) { conversation ->
                coroutineScope {
                    val devices =
                        launch {
                            launch { conversation.listenTo(PhoneMicrophone()) }
                            launch { PhoneSpeaker(buffer, OUTPUT_HZ).play() }
                        }
                    show(conversation)
                    devices.cancel()
                }
            }
        }
    }

    private suspend fun show(conversation: Conversation): Unit = conversation.events.collect { event ->
        when (event) {
            is Event.TurnCommitted -> lines.append("You: ${event.text}\n")
            is Event.ReplyFinished -> lines.append("Tutor: ${event.heardText}\n")
            is Event.SlipFound -> lines.append("Better: ${event.correction.better}\n")
            else -> Unit
        }
    }
}

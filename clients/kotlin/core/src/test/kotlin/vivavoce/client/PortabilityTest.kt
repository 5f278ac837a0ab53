package vivavoce.client

import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue

/** Packages that not every JVM has: Android's own, and those that Android lacks. */
private val ELSEWHERE = listOf("android/", "androidx/", "java/awt/", "javax/sound/", "java/net/http/", "java/rmi/")

/** The client runs on Android and on any other JVM alike. */
class PortabilityTest {
    @Test
    fun `no class of the client names a package that not every JVM has`() {
        val classes = File("target/classes").walk().filter { it.extension == "class" }.toList()
        assertTrue(classes.size > 20, "the classes are elsewhere: ${classes.size}")
        // The names in a class file stand in it as they are.
        val found =
            classes.flatMap { file ->
                ELSEWHERE.filter { it in file.readText(Charsets.ISO_8859_1) }.map { "${file.name}: $it" }
            }
        assertEquals(emptyList(), found)
    }
}

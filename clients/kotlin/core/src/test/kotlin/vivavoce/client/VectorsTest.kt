package vivavoce.client

import com.google.protobuf.ByteString
import com.google.protobuf.Duration
import com.google.protobuf.FieldMask
import com.google.protobuf.MessageLite
import com.google.protobuf.Parser
import com.google.protobuf.Timestamp
import io.grpc.Metadata
import io.grpc.Status
import io.grpc.StatusException
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory
import vivavoce.conversation.v1.ConverseRequest
import vivavoce.conversation.v1.ConverseResponse
import java.io.ByteArrayOutputStream
import java.io.File
import java.time.Instant
import java.util.Base64
import kotlin.test.Test
import kotlin.test.assertContentEquals
import kotlin.test.assertEquals
import kotlin.test.assertNotNull
import kotlin.test.assertTrue

private val DATA = File("../../../protos/testdata")

/** The wire vectors that every client reads: each is decoded, compared with its JSON, and written to the same bytes. */
class VectorsTest {
    @TestFactory
    fun `every field of the contract is read and written`(): List<DynamicTest> =
        files("every_field", ".json").map { file ->
            DynamicTest.dynamicTest(file.name) {
                for (vector in Json.parseToJsonElement(file.readText()).jsonArray.map { it.jsonObject }) {
                    val binary = bytes(vector.getValue("binary"))
                    val message = parserOf(text(vector.getValue("type"))).parseFrom(binary) as MessageLite
                    assertContentEquals(binary, message.toByteArray(), text(vector.getValue("type")))
                    same(vector.getValue("json"), message, text(vector.getValue("type")))
                }
            }
        }

    @TestFactory
    fun `a recorded session is read and written`(): List<DynamicTest> = files("sessions", ".binpb").map { file ->
        DynamicTest.dynamicTest(file.name) {
            val parser = if (".requests." in file.name) ConverseRequest.parser() else ConverseResponse.parser()
            val messages = messages(file, parser)
            val json = Json.parseToJsonElement(file.resolveSibling("${file.nameWithoutExtension}.json").readText())
            assertEquals(json.jsonArray.size, messages.size)
            json.jsonArray.zip(messages).forEach { (told, message) -> same(told, message, file.name) }
            val written = ByteArrayOutputStream().also { out -> messages.forEach { it.writeDelimitedTo(out) } }
            assertContentEquals(file.readBytes(), written.toByteArray())
        }
    }

    @Test
    fun `everything a server says is an event`() {
        val responses = files("sessions", ".responses.binpb").flatMap { messages(it, ConverseResponse.parser()) }
        assertTrue(responses.size > 100)
        responses.forEach { assertNotNull(eventOf(it), it.toString()) }
    }

    @Test
    fun `a failed call tells its reason, its field and its message`() {
        for (told in Json
            .parseToJsonElement(
                DATA.resolve("failures.json").readText(),
            ).jsonArray
            .map { it.jsonObject }) {
            val key = Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER)
            val trailers = Metadata().apply { put(key, bytes(told.getValue("status"))) }
            val error = ofCall(StatusException(Status.Code.valueOf(text(told.getValue("code"))).toStatus(), trailers))
            assertEquals("ERROR_REASON_" + text(told.getValue("reason")), error.reason.name)
            assertEquals(text(told.getValue("message")), error.message)
            assertEquals(text(told.getValue("field")), error.field)
        }
    }

    private fun files(folder: String, ending: String): List<File> {
        val found = DATA.resolve(folder).listFiles { file -> file.name.endsWith(ending) }.orEmpty().sorted()
        check(found.isNotEmpty()) { "there are no wire vectors in $folder" }
        return found
    }

    private fun <M : MessageLite> messages(file: File, parser: Parser<M>): List<M> =
        file.inputStream().use { stream -> generateSequence { parser.parseDelimitedFrom(stream) }.toList() }

    /** By its full name: messages within messages begin where the names begin to be capitalised. */
    private fun parserOf(type: String): Parser<*> {
        val names = type.split('.')
        val packages = names.takeWhile { it.first().isLowerCase() }
        val kind = Class.forName((packages + names.drop(packages.size).joinToString("$")).joinToString("."))
        return kind.getMethod("parser").invoke(null) as Parser<*>
    }

    /** Compares by the accessors of the generated classes: the lite runtime knows no JSON. */
    private fun same(json: JsonElement, value: Any?, where: String) {
        when {
            json is JsonArray -> {
                assertEquals(json.size, (value as List<*>).size, where)
                value.zip(json).forEach { (each, told) -> same(told, each, where) }
            }
            json is JsonObject && value is Map<*, *> -> json.forEach { (key, told) -> same(told, value[key], where) }
            json is JsonObject ->
                json.forEach { (name, told) ->
                    same(told, field(value!!, name, told), "$where.$name")
                }
            else -> assertEquals(text(json), plain(value), where)
        }
    }

    private fun field(message: Any, name: String, told: JsonElement): Any? {
        val accessor = "get" + name.replaceFirstChar(Char::uppercase)
        val endings = if (told is JsonArray) listOf("List") else listOf("", "Map")
        val method = endings.firstNotNullOf { end -> message.javaClass.methods.find { it.name == accessor + end } }
        return method.invoke(message)
    }

    /** As protobuf's JSON writes it. */
    private fun plain(value: Any?): String = when (value) {
        is ByteString -> Base64.getEncoder().encodeToString(value.toByteArray())
        is Duration -> "${value.seconds}${fraction(value.nanos)}s"
        is Timestamp -> Instant.ofEpochSecond(value.seconds, value.nanos.toLong()).toString()
        is FieldMask -> value.pathsList.joinToString(",") { camel(it) }
        else -> value.toString()
    }

    private fun camel(path: String): String = path.replace(Regex("_([a-z])")) { it.groupValues[1].uppercase() }

    private fun fraction(nanos: Int): String = if (nanos == 0) "" else ".%03d".format(nanos / 1_000_000)

    private fun text(json: JsonElement): String = (json as JsonPrimitive).jsonPrimitive.content

    private fun bytes(json: JsonElement): ByteArray = Base64.getDecoder().decode(text(json))
}

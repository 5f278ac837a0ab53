package vivavoce.client

import io.grpc.ChannelCredentials
import io.grpc.InsecureChannelCredentials
import io.grpc.TlsChannelCredentials

/** How the way to the server is protected. */
public sealed interface Tls {
    /** Not at all: for a server on this machine. */
    public data object Off : Tls

    /** The server is checked against the roots of the machine. */
    public data object SystemRoots : Tls

    /** The server is checked against these roots, in PEM: for one with a certificate of its own making. */
    public class Roots(internal val pem: ByteArray) : Tls
}

internal fun credentialsOf(tls: Tls): ChannelCredentials = when (tls) {
    is Tls.Off -> InsecureChannelCredentials.create()
    is Tls.SystemRoots -> TlsChannelCredentials.create()
    is Tls.Roots -> TlsChannelCredentials.newBuilder().trustManager(tls.pem.inputStream()).build()
}

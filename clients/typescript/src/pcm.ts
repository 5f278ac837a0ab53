// Sound as samples and as the bytes of the wire: signed, 16 bits, the low byte first.

/** The bytes of samples. */
export function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** The samples in bytes; a copy, for bytes may lie where no sample can. */
export function samplesOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(new Uint8Array(bytes.subarray(0, bytes.length & ~1)).buffer);
}

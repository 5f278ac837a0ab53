"""Writes the wire vectors, protos/testdata: what every client has to read and write alike."""

"""Sessions while they are live: the streams and stores around the machine."""

"""The RPCs of the user service, an area a file: proto in, proto out."""

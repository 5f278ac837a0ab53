"""The doors of the mesh: HTTP and WebSocket in, gRPC out."""

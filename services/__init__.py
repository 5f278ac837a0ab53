"""The services of the mesh; they know each other only by the contract."""

"""Lets buf call the gRPC generator of grpcio-tools, which is built into its protoc and not a plugin of its own."""

import sys
import tempfile
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.compiler import plugin_pb2
from grpc_tools import protoc


def generate(request: plugin_pb2.CodeGeneratorRequest) -> plugin_pb2.CodeGeneratorResponse:
    """Runs protoc on the descriptors of the request and returns the files it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "image.binpb")
        image.write_bytes(descriptor_pb2.FileDescriptorSet(file=request.proto_file).SerializeToString())
        out = Path(folder, "out")
        out.mkdir()
        status = protoc.main(
            ["protoc", f"--descriptor_set_in={image}", f"--grpc_python_out={out}", *request.file_to_generate]
        )
        if status != 0:
            return plugin_pb2.CodeGeneratorResponse(error=f"protoc ended with {status}; its message is above")
        files = [
            plugin_pb2.CodeGeneratorResponse.File(name=str(path.relative_to(out)), content=path.read_text())
            for path in sorted(out.rglob("*.py"))
        ]
    features = plugin_pb2.CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
    return plugin_pb2.CodeGeneratorResponse(file=files, supported_features=features)


if __name__ == "__main__":
    asked = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(generate(asked).SerializeToString())

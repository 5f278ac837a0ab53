// The wire vectors of protos/testdata, which every client reads and writes to the same bytes.

import { readdirSync, readFileSync } from "node:fs";
import {
  createRegistry,
  type DescFile,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { sizeDelimitedDecodeStream, sizeDelimitedEncode } from "@bufbuild/protobuf/wire";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { expect, test } from "vitest";
import { ofCall } from "./errors.js";
import { file_vivavoce_ai_engine_v1_ai_engine_service } from "./gen/vivavoce/ai_engine/v1/ai_engine_service_pb.js";
import {
  ConverseRequestSchema,
  ConverseResponseSchema,
  file_vivavoce_conversation_v1_conversation_service,
} from "./gen/vivavoce/conversation/v1/conversation_service_pb.js";
import { file_vivavoce_history_v1_history_service } from "./gen/vivavoce/history/v1/history_service_pb.js";
import { file_vivavoce_media_v1_media_service } from "./gen/vivavoce/media/v1/media_service_pb.js";
import { file_vivavoce_type_v1_access } from "./gen/vivavoce/type/v1/access_pb.js";
import { file_vivavoce_user_v1_user_service } from "./gen/vivavoce/user/v1/user_service_pb.js";

interface Vector {
  readonly type: string;
  readonly binary: string;
  readonly json: JsonValue;
}

interface FailedCall {
  readonly name: string;
  readonly status: string;
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

const DATA = new URL("../../../protos/testdata/", import.meta.url);
const FILES = [
  file_vivavoce_ai_engine_v1_ai_engine_service,
  file_vivavoce_conversation_v1_conversation_service,
  file_vivavoce_history_v1_history_service,
  file_vivavoce_media_v1_media_service,
  file_vivavoce_type_v1_access,
  file_vivavoce_user_v1_user_service,
];
const TYPES = createRegistry(...FILES.flatMap(withImports));

function withImports(file: DescFile): DescFile[] {
  return [file, ...file.dependencies.flatMap(withImports)];
}

function json<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, DATA), "utf8"));
}

/** The messages of a recording. */
async function recorded(schema: DescMessage, path: string): Promise<Message[]> {
  async function* whole() {
    yield new Uint8Array(readFileSync(new URL(path, DATA)));
  }
  const found: Message[] = [];
  for await (const message of sizeDelimitedDecodeStream(schema, whole())) found.push(message);
  return found;
}

test.each(readdirSync(new URL("every_field", DATA)))("every field of %s is read and written alike", (file) => {
  for (const { type, binary, json: said } of json<Vector[]>(`every_field/${file}`)) {
    const schema = TYPES.getMessage(type);
    if (!schema) throw new Error(`${type} is not generated`);
    const message = fromBinary(schema, Buffer.from(binary, "base64"));
    expect(toJson(schema, message), type).toEqual(said);
    expect(Buffer.from(toBinary(schema, message)).toString("base64"), type).toBe(binary);
    expect(toBinary(schema, fromJson(schema, said)), type).toEqual(toBinary(schema, message));
  }
});

const sessions = readdirSync(new URL("sessions", DATA)).filter((file) => file.endsWith(".binpb"));

test.each(sessions)("%s is read and written alike", async (file) => {
  const schema: DescMessage = file.includes(".requests.") ? ConverseRequestSchema : ConverseResponseSchema;
  const messages = await recorded(schema, `sessions/${file}`);
  expect(messages.map((message) => toJson(schema, message))).toEqual(json(`sessions/${file.replace("binpb", "json")}`));
  const written = messages.map((message) => sizeDelimitedEncode(schema, message));
  expect(Buffer.concat(written).equals(readFileSync(new URL(`sessions/${file}`, DATA)))).toBe(true);
});

test.each(json<FailedCall[]>("failures.json"))("a call that fails with $name is told so", ({ status, ...failed }) => {
  const error = ofCall(findTrailerError(new Headers({ "grpc-status-details-bin": status })));
  expect(error).toMatchObject({ reason: failed.reason, field: failed.field, message: failed.message });
});

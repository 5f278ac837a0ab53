import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { ofCall, ofFailure, UnreachableError, VivavoceError } from "./errors.js";
import { BadRequestSchema, ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { FailureSchema } from "./gen/vivavoce/type/v1/failure_pb.js";

function refused(code: Code, reason: string, metadata: Record<string, string> = {}): ConnectError {
  const details = [{ desc: ErrorInfoSchema, value: { reason, domain: "vivavoce", metadata } }];
  return new ConnectError("So it is.", code, undefined, details);
}

test("a refusal carries the reason, the field and what mends it", () => {
  const thrown = refused(Code.InvalidArgument, "INVALID_FIELD");
  thrown.details.push({ desc: BadRequestSchema, value: { fieldViolations: [{ field: "settings.level" }] } });
  const error = ofCall(thrown);
  expect(error).not.toBeInstanceOf(UnreachableError);
  expect(error).toMatchObject({
    message: "So it is.",
    reason: "INVALID_FIELD",
    field: "settings.level",
    remedy: "mend",
  });
});

test("whoever was too fast learns when to come again", () => {
  const error = ofCall(refused(Code.ResourceExhausted, "RATE_LIMITED", { retry_after_s: "3" }));
  expect(error).toMatchObject({ remedy: "retry", metadata: { retry_after_s: "3" } });
});

test("a fault of the server is no cut, a wire that broke is one", () => {
  expect(ofCall(refused(Code.Internal, "INTERNAL"))).not.toBeInstanceOf(UnreachableError);
  expect(ofCall(new ConnectError("reset", Code.Internal))).toBeInstanceOf(UnreachableError);
  expect(ofCall(refused(Code.Unavailable, "DRAINING"))).toMatchObject({ name: "UnreachableError", reason: "DRAINING" });
});

test("a reason of a later contract is unspecified, and none of its numbers a name", () => {
  expect(ofCall(refused(Code.NotFound, "OF_TOMORROW")).reason).toBe("UNSPECIFIED");
  expect(ofCall(refused(Code.NotFound, "5")).reason).toBe("UNSPECIFIED");
  expect(ofFailure(create(FailureSchema, { reason: 999 as never })).reason).toBe("UNSPECIFIED");
  expect(new VivavoceError("", "TOKEN_INVALID").remedy).toBe("signIn");
});

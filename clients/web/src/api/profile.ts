// The profile of who is logged in: what the tutor should know, kept by the server.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Profile, ProfileSchema, type User } from "../gen/vivavoce/user/v1/user_pb";
import { users } from "./mesh";

export type ProfileChanges = Partial<Omit<Profile, "$typeName" | "$unknown">>;

/** The person and their profile. */
export async function loadUser(signal?: AbortSignal): Promise<User> {
  const { user } = await users.getUser({}, signal ? { signal } : {});
  if (!user) throw new Error("The server answered without a user.");
  return user;
}

/** Changes what is given, and nothing else. */
export async function changeProfile(changes: ProfileChanges): Promise<void> {
  const paths = ProfileSchema.fields.filter((field) => field.localName in changes).map((field) => field.name);
  if (paths.length === 0) return;
  const profile = changes as MessageInitShape<typeof ProfileSchema>;
  await users.updateUser({ profile, updateMask: { paths } });
}

/** The zone days begin in here, such as "Europe/Paris". */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

import { failure } from '../errors.ts';
import { changeProfile, findProfile } from './repository.ts';
import type { Identity, Profile, UserShort } from './user.ts';

/** @throws {ExpectedError} `user_not_found` */
export async function userShort(handle: string): Promise<UserShort> {
  const profile = await findProfile(handle);
  if (!profile) throw failure('user_not_found');
  const { uuid, display_name } = profile;
  return { uuid, handle, display_name };
}

/** @throws {ExpectedError} `user_not_found` when the caller has no profile */
export async function updateProfile(user: Identity, change: Pick<Profile, 'display_name' | 'bio'>): Promise<Profile> {
  const profile = await changeProfile(user.handle, change);
  if (!profile) throw failure('user_not_found');
  return profile;
}

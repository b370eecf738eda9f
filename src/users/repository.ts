import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { getItems } from '../table/batch.ts';
import { table, tableName } from '../table/client.ts';
import { ignoreConditionFailure } from '../table/condition-failure.ts';
import { keys } from '../table/keys.ts';
import type { Profile } from './user.ts';

/** @returns the user's profile, or undefined if the handle is unknown. */
export async function findProfile(handle: string): Promise<Profile | undefined> {
  const { Item } = await table.send(
    new GetCommand({ TableName: tableName, Key: keys.user(handle), ConsistentRead: true }),
  );
  return Item && toProfile(Item);
}

/** @returns the existing profiles among `handles`, by handle. */
export async function findProfiles(handles: string[]): Promise<Map<string, Profile>> {
  const items = await getItems(handles.map(keys.user));
  return new Map(items.map(toProfile).map((profile) => [profile.handle, profile]));
}

/** Stores a new user. An existing user with the same handle stays unchanged. */
export async function putProfile(profile: Profile): Promise<void> {
  const put = new PutCommand({
    TableName: tableName,
    Item: { ...keys.user(profile.handle), ...profile },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  await ignoreConditionFailure(table.send(put));
}

/** @returns the changed profile, or undefined if the handle is unknown. */
export async function changeProfile(
  handle: string,
  change: Pick<Profile, 'display_name' | 'bio'>,
): Promise<Profile | undefined> {
  const update = new UpdateCommand({
    TableName: tableName,
    Key: keys.user(handle),
    UpdateExpression: 'SET display_name = :name, bio = :bio',
    ConditionExpression: 'attribute_exists(pk)',
    ExpressionAttributeValues: { ':name': change.display_name, ':bio': change.bio },
  });
  return (await ignoreConditionFailure(table.send(update))) ? findProfile(handle) : undefined;
}

/** Replaces the stored display name of each item by its author's current one. */
export async function withDisplayNames<T extends { handle: string; display_name: string }>(items: T[]): Promise<T[]> {
  const profiles = await findProfiles(items.map(({ handle }) => handle));
  return items.map((item) => ({ ...item, display_name: profiles.get(item.handle)?.display_name ?? item.display_name }));
}

function toProfile(item: Record<string, unknown>): Profile {
  return {
    uuid: String(item.uuid),
    handle: String(item.handle),
    display_name: String(item.display_name),
    bio: String(item.bio ?? ''),
  };
}

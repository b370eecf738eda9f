import { GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { table, tableName } from '../table/client.ts';
import { ignoreConditionFailure } from '../table/condition-failure.ts';
import { byTimeline, keys, positionOf, timelines } from '../table/keys.ts';
import { type Page, type PageResult, queryPage, queryPrefix } from '../table/query.ts';
import type { Message, MessageGroup } from './message.ts';

/** Messages shown of a conversation. */
const shownMessages = 20;

/** @returns the latest messages of a group, oldest first. */
export async function listMessages(groupUuid: string): Promise<Message[]> {
  const items = await queryPrefix(keys.message(groupUuid, ''), shownMessages);
  return items.map(toMessage).reverse();
}

/**
 * @returns a page of the groups that a user is a member of, the one with the latest message
 *   first; each under the other member's handle.
 */
export async function listGroups(handle: string, page: Page): Promise<PageResult<MessageGroup>> {
  const { items, next } = await queryPage(byTimeline, [timelines.groups(handle)], page);
  return { items: items.map(toGroup), next };
}

/**
 * @returns the handle of the member of the group who is not `handle`, or undefined if `handle` is
 * not a member.
 */
export async function otherMember(groupUuid: string, handle: string): Promise<string | undefined> {
  const get = new GetCommand({ TableName: tableName, Key: keys.member(groupUuid, handle), ConsistentRead: true });
  const { Item } = await table.send(get);
  return Item && String(Item.other_handle);
}

/**
 * Stores a message and shows it as the group's last to both members; the same message again changes
 * nothing.
 * @returns whether it was new.
 */
export async function putMessage(message: Message, receiverHandle: string): Promise<boolean> {
  const position = positionOf(message);
  const put = new PutCommand({
    TableName: tableName,
    Item: { ...keys.message(message.message_group_uuid, position), ...message },
    ConditionExpression: 'attribute_not_exists(pk)',
  });
  const isNew = await ignoreConditionFailure(table.send(put));
  const members = new Map([
    [message.handle, receiverHandle],
    [receiverHandle, message.handle],
  ]);
  await Promise.all([...members].map(([handle, other]) => putLastMessage(handle, other, message, position)));
  return isNew;
}

/**
 * Updates a member's view of the group, which only moves forward in time: of two simultaneous
 * messages the later one stays, in whatever order they are stored.
 */
async function putLastMessage(handle: string, otherHandle: string, message: Message, position: string): Promise<void> {
  const update = new UpdateCommand({
    TableName: tableName,
    Key: keys.member(message.message_group_uuid, handle),
    UpdateExpression:
      'SET #uuid = :uuid, other_handle = :other, #message = :message, created_at = :created_at, #timeline = :timeline, #position = :position',
    ConditionExpression: 'attribute_not_exists(pk) OR #position < :position',
    ExpressionAttributeNames: {
      '#uuid': 'uuid',
      '#message': 'message',
      '#timeline': 'timeline',
      '#position': 'position',
    },
    ExpressionAttributeValues: {
      ':uuid': message.message_group_uuid,
      ':other': otherHandle,
      ':message': message.message,
      ':created_at': message.created_at,
      ':timeline': timelines.groups(handle),
      ':position': position,
    },
  });
  await ignoreConditionFailure(table.send(update));
}

function toMessage(item: Record<string, unknown>): Message {
  return {
    uuid: String(item.uuid),
    message_group_uuid: String(item.message_group_uuid),
    display_name: String(item.display_name),
    handle: String(item.handle),
    message: String(item.message),
    created_at: String(item.created_at),
  };
}

function toGroup(item: Record<string, unknown>): MessageGroup {
  const handle = String(item.other_handle);
  return {
    uuid: String(item.uuid),
    // Not stored: the caller fills in the member's current name.
    display_name: handle,
    handle,
    message: String(item.message),
    created_at: String(item.created_at),
  };
}

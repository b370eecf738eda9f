import type * as v from 'valibot';
import { schema as createActivity } from '../../handlers/create-activity.ts';
import { named as createMessage } from '../../handlers/create-message.ts';
import { schema as createReply } from '../../handlers/create-reply.ts';
import { schema as updateProfile } from '../../handlers/profile-update.ts';
import type { SchemaName } from './responses.ts';

/**
 * The description of one function, beside its method and path, which are
 * serverless.yml's.
 */
export interface Operation {
  summary: string;
  /** Whether the route requires a caller, takes one if there is one, or ignores it. */
  identity: 'required' | 'optional' | 'none';
  answer: { schema: SchemaName; isList?: boolean } | { either: [SchemaName, SchemaName] } | 'text';
  query?: Record<string, { schema: Record<string, unknown>; isRequired?: boolean }>;
  /**
   * The schema that checks the body, and what its entries are called in the body; an entry named
   * undefined is not in it.
   */
  body?: { schema: Input; names?: Record<string, string | undefined> };
  isPaged?: boolean;
  /** OpenAPI's link objects: which part of the answer leads to which operation. */
  links?: Record<string, { operationId: string; parameters: Record<string, string> }>;
}

type Input = v.ObjectSchema<v.ObjectEntries, undefined>;

const ofCaller = { caller: undefined };

/** Every function by its key. */
export const operations: Record<string, Operation> = {
  health: { summary: 'Say that the API runs', identity: 'none', answer: { schema: 'Health' } },
  home: {
    summary: "List everybody's activities, newest first, each with its last replies",
    identity: 'optional',
    answer: { schema: 'ActivityWithReplies', isList: true },
    isPaged: true,
  },
  notifications: {
    summary: "List replies to the caller's activities, and activities that mention the caller",
    identity: 'required',
    answer: { schema: 'Notification', isList: true },
    isPaged: true,
  },
  search: {
    summary: 'List activities that contain every word of a term',
    identity: 'none',
    answer: { schema: 'Activity', isList: true },
    query: { term: { schema: { type: 'string', pattern: '\\S' }, isRequired: true } },
    isPaged: true,
  },
  activity: {
    summary: "Show one activity with its replies, or list a user's activities",
    identity: 'none',
    answer: { either: ['ActivityWithReplies', 'Activity'] },
    isPaged: true,
  },
  'activity-status': {
    summary: 'Show one activity of a user, with its replies beside it',
    identity: 'none',
    answer: { schema: 'ActivityStatus' },
  },
  'create-activity': {
    summary: 'Create an activity',
    identity: 'required',
    answer: { schema: 'Activity' },
    body: { schema: createActivity, names: ofCaller },
    links: {
      activity: { operationId: 'activity', parameters: { id: '$response.body#/uuid' } },
      reply: { operationId: 'create-reply', parameters: { id: '$response.body#/uuid' } },
      author: { operationId: 'user-short', parameters: { id: '@{$response.body#/handle}' } },
      status: {
        operationId: 'activity-status',
        parameters: { id: '@{$response.body#/handle}', uuid: '$response.body#/uuid' },
      },
    },
  },
  'create-reply': {
    summary: 'Reply to an activity',
    identity: 'required',
    answer: { schema: 'Reply' },
    body: { schema: createReply, names: { ...ofCaller, id: undefined } },
  },
  'message-groups': {
    summary: "List the caller's conversations, newest first",
    identity: 'required',
    answer: { schema: 'MessageGroup', isList: true },
    isPaged: true,
  },
  messages: {
    summary: 'List the latest messages of a conversation, oldest first',
    identity: 'required',
    answer: { schema: 'Message', isList: true },
  },
  'create-message': {
    summary: 'Send a message to a user, or to a conversation',
    identity: 'required',
    answer: { schema: 'Message' },
    body: {
      schema: createMessage,
      names: { ...ofCaller, receiver: 'user_receiver_handle', group: 'message_group_uuid' },
    },
    links: { conversation: { operationId: 'messages', parameters: { id: '$response.body#/message_group_uuid' } } },
  },
  'user-short': { summary: 'Show the public fields of a user', identity: 'none', answer: { schema: 'UserShort' } },
  'profile-update': {
    summary: "Change the caller's display name and bio",
    identity: 'required',
    answer: { schema: 'Profile' },
    body: { schema: updateProfile },
  },
  'rollbar-test': {
    summary: 'Send a message to Rollbar, or an error',
    identity: 'none',
    answer: 'text',
    query: { error: { schema: { type: 'string' } } },
  },
};

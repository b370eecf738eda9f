/** The bodies that the API answers, as JSON Schema: see `docs/openapi.json`. */
const uuid = { type: 'string', format: 'uuid' };
const text = { type: 'string' };
const time = { type: 'string', format: 'date-time' };
const count = { type: 'integer', minimum: 0 };

function object(properties: Record<string, unknown>, optional: string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: 'object', properties, required, additionalProperties: false };
}

function arrayOf(schema: string) {
  return { type: 'array', items: reference(schema) };
}

/** @returns a reference to one of the schemas. */
export function reference(schema: string) {
  return { $ref: `#/components/schemas/${schema}` };
}

const author = { uuid, display_name: text, handle: text, message: text };
const counts = { replies_count: count, reposts_count: count, likes_count: count };
const activity = { ...author, ...counts, created_at: time, expires_at: time };

/** Every schema by its name. */
export const schemas = {
  Health: object({ success: { const: true }, ver: { const: 1 } }),
  Activity: object(activity),
  Reply: object({ ...author, ...counts, reply_to_activity_uuid: uuid, created_at: time }),
  ActivityWithReplies: object({ ...activity, replies: arrayOf('Reply') }),
  Notification: object({ ...activity, reply_to_activity_uuid: uuid }, ['reply_to_activity_uuid']),
  ActivityStatus: object({ activity: reference('Activity'), replies: arrayOf('Reply') }),
  Message: object({ ...author, message_group_uuid: uuid, created_at: time }),
  MessageGroup: object({ ...author, created_at: time }),
  UserShort: object({ uuid, handle: text, display_name: text }),
  Profile: object({ uuid, handle: text, display_name: text, bio: text }),
  /** RFC 9457. */
  Problem: {
    type: 'object',
    properties: { type: text, title: text, status: { type: 'integer' }, trace_id: text },
    required: ['type', 'title', 'status', 'trace_id'],
  },
  FailedChecks: { type: 'array', items: text, minItems: 1 },
};

export type SchemaName = keyof typeof schemas;

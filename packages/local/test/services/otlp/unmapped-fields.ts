/**
 * The fields of the protocol that have no place in a record, by their full name, each with the
 * reason. All others have one, and a test against the protocol's descriptors keeps it so.
 */
export const leftOut: Record<string, string> = {
  'opentelemetry.proto.common.v1.AnyValue.string_value_strindex':
    'Profiles alone may set it: it points into their table of strings.',
  'opentelemetry.proto.common.v1.KeyValue.key_strindex':
    'Profiles alone may set it: it points into their table of strings.',
  'opentelemetry.proto.resource.v1.Resource.entity_refs':
    'In development, and it only says which of the resource’s attributes, all of which are kept, identify what.',
};

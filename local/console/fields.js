// What is known of a node, each fact once: X-Ray and OpenTelemetry say mostly the same of it, and say it differently.

/** The attributes by which OpenTelemetry says what X-Ray has fields of its own for; another field `name` is the attribute `aws.name`. */
const attributesOfFields = {
  region: 'cloud.region',
  table_name: 'aws.dynamodb.table_names',
  table_names: 'aws.dynamodb.table_names',
  queue_url: 'aws.sqs.queue.url',
};

/** @returns `[key, value]` by OpenTelemetry's keys where it has one, then what X-Ray alone says. */
export function fieldsOf({ attributes, annotations, metadata, aws = {} }) {
  const fields = new Map(Object.entries(attributes));
  const add = (key, value, said) => {
    if (said.some((other) => isSame(fields.get(other), value))) return;
    fields.set(fields.has(key) ? `${key} (X-Ray)` : key, value);
  };
  // X-Ray takes no other characters in the key of an annotation.
  const ofAnnotations = Object.groupBy(fields.keys(), (key) => key.replace(/[^A-Za-z0-9_]/g, '_'));
  for (const [key, value] of Object.entries(annotations)) add(key, value, ofAnnotations[key] ?? []);
  for (const [namespace, members] of Object.entries(metadata)) {
    const isObject = typeof members === 'object' && members !== null && !Array.isArray(members);
    for (const [key, value] of isObject ? Object.entries(members) : [['', members]]) {
      if (namespace === 'default' && key !== '') add(key, value, [key]);
      else add(key === '' ? namespace : `${namespace}.${key}`, value, []);
    }
  }
  for (const [key, value] of Object.entries(aws)) add(key, value, [attributesOfFields[key] ?? `aws.${key}`]);
  return [...fields];
}

/** OpenTelemetry has JSON where X-Ray has an object, and a list of one where X-Ray has a text. */
function isSame(attribute, value) {
  if (attribute === undefined) return false;
  const one = typeof attribute === 'object' ? JSON.stringify(attribute) : String(attribute);
  const other = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return one === other || one === JSON.stringify([value]);
}

/**
 * Says what Lambda would make of a function's answer to a batch: which records would come again.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting
 * @returns undefined where the event is not a batch, or the answer does not mention its records.
 */
export function batchAnswer(event: unknown, answer: unknown): string | undefined {
  const records = list(field(event, 'Records'));
  const reported = field(answer, 'batchItemFailures');
  if (records.length === 0 || reported === undefined) return undefined;
  const ids = records.map(idOf);
  if (reported !== null && !Array.isArray(reported)) return wholeBatch(ids, 'batchItemFailures is not a list');
  const failed = list(reported).map((failure) => field(failure, 'itemIdentifier'));
  if (failed.length === 0) return `All ${count(ids.length)} succeeded.`;
  const unknown = failed.find((id) => typeof id !== 'string' || id === '' || !ids.includes(id));
  if (unknown !== undefined || failed.includes(undefined)) {
    return wholeBatch(ids, `itemIdentifier ${JSON.stringify(unknown)} is not one of them`);
  }
  if (isStream(records[0])) {
    const first = Math.min(...failed.map((id) => ids.indexOf(String(id))));
    return `${first} of ${count(ids.length)} succeeded. Lambda would send record ${ids[first]} and all after it again.`;
  }
  const again = [...new Set(failed)];
  return `${ids.length - again.length} of ${count(ids.length)} succeeded. Lambda would send ${again.join(', ')} again.`;
}

function wholeBatch(ids: unknown[], reason: string): string {
  return `The answer fails all ${count(ids.length)}, since ${reason}: Lambda would send the whole batch again.`;
}

function idOf(record: unknown): unknown {
  return (
    field(record, 'messageId') ??
    field(field(record, 'kinesis'), 'sequenceNumber') ??
    field(field(record, 'dynamodb'), 'SequenceNumber')
  );
}

function isStream(record: unknown): boolean {
  return field(record, 'kinesis') !== undefined || field(record, 'dynamodb') !== undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value ? value[name as keyof typeof value] : undefined;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function count(records: number): string {
  return `${records} record${records === 1 ? '' : 's'}`;
}

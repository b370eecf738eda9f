import { HttpError } from '../../../http/http-error.ts';
import type { Receiver, ReceiverLimits } from '../../../receiver/receiver.ts';
import type { MetricReads } from '../../../store/metric-data.ts';
import { ReadTimeout } from '../../../store/read-connections.ts';
import { metricOperations } from './operations.ts';
import { badRequest, type Wire, wires } from './wire.ts';

/**
 * CloudWatch's metrics, read only: in Smithy RPC v2 CBOR, in AWS JSON 1.0 and in the Query protocol.
 * An operation that is not here is refused by name. Signatures are not checked.
 */
export function cloudWatchMetricsReceiver(reads: MetricReads, limits: ReceiverLimits): Receiver {
  const operations = metricOperations(reads);
  const wireOf = (request: Parameters<Wire['handles']>[0]) => wires.find((wire) => wire.handles(request));
  return {
    name: 'cloudwatch',
    handles: (request) => wireOf(request) !== undefined,
    async answer(request) {
      const wire = wireOf(request);
      if (!wire || request.method !== 'POST') throw new HttpError(405, 'CloudWatch is called by POST.');
      const { operation, input } = await wire.read(request, limits);
      const run = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
      if (!run) {
        const supported = Object.keys(operations).join(', ');
        const message = `${operation} is not supported by this endpoint, which takes ${supported}.`;
        throw new HttpError(400, message, 'InvalidActionException');
      }
      try {
        return wire.answer(operation, await run(input));
      } catch (error) {
        if (error instanceof ReadTimeout) throw badRequest(error.message);
        throw error;
      }
    },
    refuse: (error, request) => (wireOf(request) ?? (wires[0] as Wire)).refuse(error),
  };
}

import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { startReceivers } from '../../../src/receiver/server.ts';
import { receiversWith } from '../../../src/services/index.ts';
import { openStore, type Store } from '../../../src/store/index.ts';

export const clientOptions = {
  region: 'eu-central-1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  maxAttempts: 1,
};

export interface RunningCloudWatch {
  store: Store;
  endpoint: string;
  logs: CloudWatchLogsClient;
  /** Writes lines as a function's environment does, a millisecond apart from `time` on. */
  write(logGroup: string, logStream: string, time: number, ...messages: string[]): void;
  stop(): Promise<void>;
}

/** The local CloudWatch over a store of its own, and AWS's client for it. */
export async function runCloudWatch(logGroups: string[] = []): Promise<RunningCloudWatch> {
  const store = await openStore({ file: ':memory:' });
  const receivers = await startReceivers({ port: 0, sink: store, receivers: receiversWith(store, logGroups) });
  const endpoint = `http://127.0.0.1:${receivers.port}`;
  const logs = new CloudWatchLogsClient({ ...clientOptions, endpoint });
  return {
    store,
    endpoint,
    logs,
    write(logGroup, logStream, time, ...messages) {
      for (const [at, message] of messages.entries())
        store.log({ source: 'function', timeMilliseconds: time + at, logGroup, logStream, message });
    },
    async stop() {
      logs.destroy();
      await receivers.stop();
      await store.close();
    },
  };
}

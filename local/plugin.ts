/** What Serverless hands to a plugin; only the parts that are used here. */
export class ThroughlinePlugin {
  commands = {
    local: { usage: 'Run the service on this machine, as on Lambda, with its traces', lifecycleEvents: ['run'] },
  };
  hooks: Record<string, () => Promise<void>>;
  constructor(private_serverless: { service: unknown }) {
    this.hooks = { 'local:run': async () => console.log(Object.keys(private_serverless.service as object)) };
  }
}

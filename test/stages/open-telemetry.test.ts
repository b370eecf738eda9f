import { describe, expect, it } from 'vitest';
import { projectDirectory, sls } from '../sls.ts';

describe('the choice of who exports OpenTelemetry', () => {
  it.each([
    ['own', 'OtelLambdaLayer'],
    ['community', 'layer:opentelemetry-nodejs-'],
    ['none', '  layers: []'],
  ])('%s is a choice', async (choice, layer) => {
    const { code, stdout } = await sls(projectDirectory, ['print', '--path', 'provider'], { OPENTELEMETRY: choice });

    expect(code).toBe(0);
    expect(stdout).toContain(layer.trim());
  });

  it('that does not exist is rejected with the three that do', async () => {
    const { code, stdout, stderr } = await sls(projectDirectory, ['package'], { OPENTELEMETRY: 'honeycomb' });

    expect(code).toBe(1);
    expect(stdout + stderr).toContain(
      'OPENTELEMETRY (custom.openTelemetry) is "honeycomb", and has to be own, community, or none.',
    );
    expect(stdout + stderr).not.toContain('Value not found');
  });
});

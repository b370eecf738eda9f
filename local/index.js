// What Serverless loads. It is JavaScript, because it must be able to run where TypeScript cannot:
// on a Node that does not strip types it says so in one sentence instead of failing on the first annotation.
import { readFileSync } from 'node:fs';
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  throw new Error(
    `The throughline plugin needs Node 22.18 or newer, this is ${process.version}. Run it by "npm start" or "npx sls" where "node" 24 is a devDependency.`,
  );
}

// Node strips the types of any file but those below node_modules, which is where this plugin is in other people's projects.
const here = new URL('.', import.meta.url).href;
if (here.includes('/node_modules/')) {
  module.registerHooks({
    load(url, context, nextLoad) {
      if (!url.startsWith(here) || !url.endsWith('.ts')) return nextLoad(url, context);
      const source = module.stripTypeScriptTypes(readFileSync(new URL(url), 'utf8'));
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

const require = module.createRequire(import.meta.url);
const { ThroughlinePlugin } = require('./plugin.ts');

export { ThroughlinePlugin as default, ThroughlinePlugin as 'module.exports' };

// What Serverless loads. CommonJS, because ts-node refuses to require an ES module, and Serverless
// 3 reads `serverless.ts` through ts-node. The syntax stays old, so that an old Node reports itself
// here.
'use strict';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  throw new Error(
    `serverless-throughline needs Node 22.15 or newer; this is ${process.version}. Install "node" 24 as a devDependency and run "npx sls", or change the Node on your PATH.`,
  );
}

module.exports = require('./plugin.ts').ThroughlinePlugin;

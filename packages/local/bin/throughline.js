#!/usr/bin/env node
// JavaScript, so that a Node that cannot strip types says so instead of failing on the first
// annotation.
import { existsSync } from 'node:fs';
import module from 'node:module';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// In the repository the source is beside this file; a tarball carries only the build.
const source = new URL('../src/cli/main.ts', import.meta.url);
const fromSource = existsSync(source);
const needed = fromSource ? 18 : 15;
if (major < 22 || (major === 22 && minor < needed)) {
  process.stderr.write(
    `throughline needs Node 22.${needed} or newer; this is ${process.version}. Run it with "npx throughline" where "node" 24 is a devDependency.\n`,
  );
  process.exit(1);
}

// Takes a short command from 0.33 s of processor time to 0.20 s.
module.enableCompileCache?.();
const entry = fromSource ? source : new URL('../dist/cli/main.js', import.meta.url);
const { main } = await import(entry.href);
process.exitCode = await main(process.argv.slice(2));

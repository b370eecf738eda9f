import type { Plugin } from 'esbuild';

const guard = 'missing-packages';

/**
 * Leaves packages that are not installed out of the bundle, with a warning: a native module, an
 * optional one, or an SDK package that Lambda's runtime brings. The function that needs one then
 * fails alone, with the package's name.
 */
export function missingPackages(serviceDirectory: string): Plugin {
  return {
    name: guard,
    setup({ onResolve, resolve }) {
      // A bare name: neither a path nor `#internal`.
      onResolve({ filter: /^[^./#]/ }, async ({ path, kind, importer, resolveDir, pluginData }) => {
        if (pluginData === guard || kind === 'entry-point' || /^(node:|[a-zA-Z]:\\)/.test(path)) return undefined;
        const found = await resolve(path, {
          kind,
          importer,
          resolveDir: resolveDir || serviceDirectory,
          pluginData: guard,
        });
        if (found.errors.length === 0) return undefined;
        return { path, external: true, warnings: [{ text: missing(path) }] };
      });
    },
  };
}

function missing(name: string): string {
  const onLambda = /^(@aws-sdk|@smithy)\//.test(name);
  const why = onLambda ? "Lambda's runtime has it, but it is not installed here" : 'it is not installed';
  const packageName = /^(@[^/]+\/)?[^/]+/.exec(name)?.[0] ?? name;
  const install = `npm install ${onLambda ? '--save-dev ' : ''}${packageName}`;
  return `"${name}" stays outside the bundle: ${why}. The function fails where it needs it. Run "${install}".`;
}

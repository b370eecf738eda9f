import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Plugin } from 'esbuild';
import { getTsconfig } from 'get-tsconfig';

/**
 * Emits the types of decorated constructors and properties where tsconfig.json asks for
 * `emitDecoratorMetadata`, which esbuild does not do. NestJS and TypeORM read them. Other files
 * never pass through here.
 */
export function decoratorMetadata(serviceDirectory: string): Plugin {
  const options = getTsconfig(serviceDirectory)?.config.compilerOptions;
  return {
    name: 'decorator-metadata',
    setup({ onLoad, onResolve }) {
      if (!options?.emitDecoratorMetadata) return;
      const ours = createRequire(import.meta.url);
      onResolve({ filter: /^@oxc-project\/runtime\// }, ({ path: name }) => ({ path: ours.resolve(name) }));
      onLoad({ filter: /\.[cm]?tsx?$/ }, async ({ path: file }) => {
        if (file.includes(`${path.sep}node_modules${path.sep}`)) return undefined;
        const text = await readFile(file, 'utf8');
        if (!/(^|[\s(])@\w/.test(text)) return undefined;
        const { transform } = await import('oxc-transform');
        const { code, map, errors } = await transform(file, text, {
          decorator: { legacy: true, emitDecoratorMetadata: true },
          sourcemap: true,
          jsx: 'preserve',
        });
        // esbuild names the place of a syntax error better.
        if (errors.length > 0) return undefined;
        const encoded = map ? Buffer.from(JSON.stringify({ ...map, sources: [path.basename(file)] })) : undefined;
        const suffix = encoded
          ? `\n//# sourceMappingURL=data:application/json;base64,${encoded.toString('base64')}`
          : '';
        return { contents: code + suffix, loader: file.endsWith('x') ? 'jsx' : 'js', resolveDir: path.dirname(file) };
      });
    },
  };
}

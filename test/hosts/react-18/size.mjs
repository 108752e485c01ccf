// Prints how many bytes of script the sheet adds to a page before compression, without React:
// `node size.mjs`.
import { build } from 'esbuild';
import { join } from 'node:path';

const { outputFiles } = await build({
  entryPoints: [join(import.meta.dirname, '../../../lib/react/index.ts')],
  bundle: true,
  minify: true,
  write: false,
  format: 'esm',
  jsx: 'automatic',
  external: ['react', 'react/jsx-runtime'],
});
process.stdout.write(String(outputFiles[0].contents.length));

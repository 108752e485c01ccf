// Makes of the page in test/react/page what a browser and a server run, with the React that is asked for: `node bundle.mjs 18 FOLDER`.
import { build } from 'esbuild';
import { join } from 'node:path';

const [, , react, folder] = process.argv;
const page = join(import.meta.dirname, '../../react/page');
const here = (name) => join(import.meta.dirname, 'node_modules', name);
const shared = {
  bundle: true,
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"development"' }, // in which React tells of every mistake
  alias: react === '18' ? { react: here('react'), 'react-dom': here('react-dom') } : {}, // else the one of the root
  logLevel: 'warning',
};
await Promise.all([
  build({
    ...shared,
    entryPoints: [join(page, 'client.tsx')],
    outfile: join(folder, 'client.js'),
    format: 'esm',
  }),
  build({
    ...shared,
    entryPoints: [join(page, 'server.tsx')],
    outfile: join(folder, 'server.cjs'),
    format: 'cjs',
    platform: 'node',
  }),
]);

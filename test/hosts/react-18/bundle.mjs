// Bundles the page of test/react/page for a browser and for a server, with the given version of
// React: `node bundle.mjs 18 FOLDER`.
import { build } from 'esbuild';
import { join } from 'node:path';

const [, , react, folder] = process.argv;
const page = join(import.meta.dirname, '../../react/page');
const here = (name) => join(import.meta.dirname, 'node_modules', name);
const shared = {
  bundle: true,
  jsx: 'automatic',
  // React reports mistakes in this mode only.
  define: { 'process.env.NODE_ENV': '"development"' },
  // Without an alias this is the React of the root.
  alias: react === '18' ? { react: here('react'), 'react-dom': here('react-dom') } : {},
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

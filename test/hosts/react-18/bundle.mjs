// Bundles the page of test/react/page for a browser and for a server, with the given version of
// React: `node bundle.mjs 18 FOLDER`. The folder contains the code block of docs/react.md as
// guide.jsx, which is bundled for a browser.
import { build } from 'esbuild';
import { join } from 'node:path';

const [, , react, folder] = process.argv;
const root = join(import.meta.dirname, '../../..');
const page = join(root, 'test/react/page');
const here = (name) => join(import.meta.dirname, 'node_modules', name);
const shared = {
  bundle: true,
  jsx: 'automatic',
  // React reports mistakes in this mode only.
  define: { 'process.env.NODE_ENV': '"development"' },
  alias: {
    // Without an alias this is the React of the root.
    ...(react === '18' && { react: here('react'), 'react-dom': here('react-dom') }),
    guide: join(folder, 'guide.jsx'),
    'passport-backup-code/react': join(root, 'lib/react'),
  },
  nodePaths: [join(root, 'node_modules')],
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
    entryPoints: [join(page, 'guide-client.tsx')],
    outfile: join(folder, 'guide-client.js'),
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

// The same for `import` in an ES module: re-exports the one CommonJS build, so that both have the
// same classes.
export * from './index.js';
export { BackupCodeStrategy as default } from './index.js';

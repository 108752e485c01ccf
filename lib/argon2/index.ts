// The entry point `passport-backup-code/argon2`: argon2id on the package `@node-rs/argon2`.
export { argon2Hasher, type Argon2HasherOptions } from './argon2-hasher';

// The entry points of the package: what each exports, and which packages it loads.

/** The named exports of each entry point. Only `.` also has a default export. */
export const EXPORTS = {
  'passport-backup-code': [
    'BackupCodeError',
    'BackupCodeStrategy',
    'BackupCodes',
    'MemoryStore',
    'Strategy',
    'bcryptHasher',
    'defineFormat',
    'fastHasher',
    'formats',
    'pbkdf2Hasher',
    'pepperFromEnv',
    'scryptHasher',
  ],
  'passport-backup-code/sql': [
    'SqlApprovalStore',
    'SqlStore',
    'createTables',
    'nodeSqliteDialect',
    'schemaSql',
  ],
  'passport-backup-code/redis': ['RedisApprovalStore', 'RedisStore'],
  'passport-backup-code/argon2': ['argon2Hasher'],
  'passport-backup-code/approval': [
    'APPROVAL_EVENT_TYPES',
    'MemoryApprovalStore',
    'TwoPersonApproval',
  ],
  'passport-backup-code/express': [
    'backupCodesOpenApi',
    'backupCodesRouter',
    'beginLogin',
    'completeLogin',
    'endLogin',
    'pendingLogin',
    'requireAssurance',
    'requireEnrollment',
    'requireFreshSecondFactor',
    'safeReturnTo',
  ],
  'passport-backup-code/siem': ['EVENT_TYPES', 'toEcs', 'toOcsf', 'toOwasp'],
  'passport-backup-code/react': ['BackupCodeSheet', 'printStyles'],
  'passport-backup-code/testing': ['consumeContract', 'storeContract'],
};

export type EntryPoint = keyof typeof EXPORTS;

/** No entry point loads a database driver or a web framework, unless it is about one. */
export const LOADED_PACKAGES: Record<EntryPoint, string[]> = {
  'passport-backup-code': [
    'bcrypt',
    'ipaddr.js',
    'node-gyp-build',
    'passport-backup-code',
    'passport-strategy',
  ],
  'passport-backup-code/sql': ['kysely', 'passport-backup-code'],
  'passport-backup-code/redis': ['passport-backup-code'],
  'passport-backup-code/argon2': ['@node-rs/argon2', 'passport-backup-code'],
  'passport-backup-code/approval': ['passport-backup-code'],
  'passport-backup-code/express': ['passport-backup-code'],
  'passport-backup-code/siem': ['passport-backup-code'],
  'passport-backup-code/react': ['passport-backup-code', 'react'],
  'passport-backup-code/testing': ['passport-backup-code'],
};

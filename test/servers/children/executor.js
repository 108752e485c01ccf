'use strict';
// An app on another machine that crashes in the middle of an action that two people approved. Runs the
// built package.
const { Kysely, PostgresDialect } = require('kysely');
const { Pool } = require('pg');
const { BackupCodes } = require('../../../dist');
const { TwoPersonApproval } = require('../../../dist/approval');
const { SqlApprovalStore, SqlStore } = require('../../../dist/sql');

const { url, id, digest, now } = JSON.parse(process.argv[2]);
const kysely = new Kysely({
  dialect: new PostgresDialect({ pool: new Pool({ connectionString: url }) }),
});
const approval = new TwoPersonApproval({
  store: new SqlApprovalStore(kysely),
  backupCodes: new BackupCodes({ store: new SqlStore(kysely) }),
  isEntitled: () => true,
  now: () => now,
  actions: {
    'open-vault': (approved) => {
      approval.assertApproved(approved, 'open-vault');
      process.stdout.write('the action began\n', () => process.kill(process.pid, 'SIGKILL'));
      return new Promise(() => undefined);
    },
  },
});
void approval.execute('ada', { id, digest });

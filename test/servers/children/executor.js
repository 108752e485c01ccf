'use strict';
// An app on another machine that crashes in the middle of an action that two people approved. Runs
// the built package.
const { Pool } = require('pg');
const { BackupCodes } = require('../../../dist');
const { TwoPersonApproval } = require('../../../dist/approval');
const { SqlApprovalStore, SqlStore } = require('../../../dist/sql');

const { url, id, digest, now } = JSON.parse(process.argv[2]);
const database = new Pool({ connectionString: url });
const approval = new TwoPersonApproval({
  store: new SqlApprovalStore({ database }),
  backupCodes: new BackupCodes({ store: new SqlStore({ database }) }),
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

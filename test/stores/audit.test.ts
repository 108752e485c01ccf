// The audit trail on MemoryStore and on SqlStore with SQLite.
import type { BackupCodeAudit, BackupCodeStore } from '../../lib';
import { reportTests } from '../helpers/report-tests';
import { onEachStore } from '../helpers/stores';

onEachStore('reports', (open) => {
  reportTests({
    open: async () => {
      const store = (await open()).store as BackupCodeStore & BackupCodeAudit;
      return { store, another: () => store };
    },
  });
});

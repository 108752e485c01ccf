// Races over the life of a set, on MemoryStore and on SqlStore with SQLite.
import type { BackupCodeAudit, BackupCodeStore } from '../../lib';
import { lifecycleRaces } from '../helpers/lifecycle-races';
import { onEachStore } from '../helpers/stores';

onEachStore('races over the life of a set', (open) => {
  lifecycleRaces({
    open: async () => {
      const store = (await open()).store as BackupCodeStore & BackupCodeAudit;
      return { store, another: () => store };
    },
  });
});

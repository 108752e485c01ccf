import { MemoryStore } from '../../lib';
import { storeContract } from '../../lib/testing';

describe('MemoryStore', () => {
  const store = new MemoryStore();

  storeContract(
    { describe, it },
    {
      connect: () => Promise.resolve({ store }),
      readEvents: (userId) =>
        Promise.resolve(store.auditTrail.filter((event) => event.userId === userId)),
    },
  );
});

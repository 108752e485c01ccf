import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemaScript } from '../../lib/sql/schema';

describe('the SQL that ships for a DBA', () => {
  it.each(['sqlite', 'postgres', 'mysql'] as const)(
    'is what createTables runs, on %s',
    (dialect) => {
      const file = join(__dirname, '../../lib/sql/schema', `${dialect}.sql`);
      expect(readFileSync(file, 'utf8')).toBe(schemaScript(dialect));
    },
  );
});

// The code block "In production" of README.md, run on a real PostgreSQL.
import type { Pool } from 'pg';
import type { BackupCodes } from '../../lib';
import { recipesOf, runRecipe } from '../helpers/recipes';
import { describeWith, postgres } from '../helpers/servers';

describeWith(postgres, 'the set-up for production', (server) => {
  it('The set-up makes its tables, uses the pepper and survives a lost connection', async () => {
    const faults: unknown[] = [];
    process.env['BACKUP_CODE_PEPPER'] = `2026:${Buffer.alloc(32, 7).toString('base64')}`;
    const scope = {
      log: (fault: unknown) => faults.push(fault),
      process: { env: { DATABASE_URL: server().url } },
    };
    const { backupCodes, pool } = (await runRecipe(
      recipesOf('README.md').get('production')!,
      scope,
      ['backupCodes', 'pool'],
    )) as { backupCodes: BackupCodes; pool: Pool };
    try {
      const { codes } = await backupCodes.issue('ada');
      expect(await backupCodes.consume('ada', codes[0])).toMatchObject({ ok: true, remaining: 9 });
      expect((await backupCodes.audit.report()).setsByPepper).toEqual({ 2026: 1 });
      // The listeners of the block: the server ends a connection that is idle.
      await pool.query(
        `SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity
        WHERE pid <> pg_backend_pid() AND backend_type = $1`,
        ['client backend'],
      );
      expect(await backupCodes.consume('ada', codes[1])).toMatchObject({ ok: true, remaining: 8 });
    } finally {
      delete process.env['BACKUP_CODE_PEPPER'];
      await pool.end();
    }
  });
});

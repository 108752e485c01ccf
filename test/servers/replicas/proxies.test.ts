// A process that dies after it consumed a code and before it answered, behind a proxy that then
// sends the request again to another process.
import { readSqlEvents } from '../../helpers/read-events';
import { describeWith } from '../../helpers/servers';
import { Browser } from '../../express/browser';
import { siteBehind } from './proxied-site';

for (const proxy of ['nginx', 'HAProxy'] as const) {
  describeWith(siteBehind(proxy), `an app behind ${proxy}`, (site) => {
    it(`a code that ${proxy} sends again after its process died completes the login`, async () => {
      const { origin, backupCodes, db, died } = site();
      const { codes } = await backupCodes.issue('ada');
      const browser = new Browser(origin);
      await browser.post('/login', { username: 'ada', password: 'secret' });
      const { status } = await browser.post('/login/backup-code', { code: codes[0] });
      expect(status).toBe(200);
      expect((await browser.get('/me')).body).toEqual({ user: 'ada' });
      expect(died()).toBe(1);
      const events = await readSqlEvents(db, 'ada');
      expect(events.filter(({ type }) => type === 'consumed')).toHaveLength(1);
      expect(await backupCodes.status('ada')).toMatchObject({ remaining: 9 });
    });
  });
}

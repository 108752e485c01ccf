// Somebody who hangs up is still who they were: a form whose client is gone before it is looked at
// is answered as if they were there.
import { setTimeout as wait } from 'node:timers/promises';
import { LocalFormDesk } from '../../src/web/forms-in-progress';
import { type Service, startService } from '../helpers/service';
import { doubleClick } from '../helpers/stories';
import { enroll, givePassword, tokenIn } from '../helpers/visitor';

let service: Service;
beforeEach(async () => {
  const desk = new LocalFormDesk();
  let holdMs = 0;
  const slowDesk = {
    begin: async (form: string) => desk.begin(form).finally(() => wait(holdMs)),
    end: desk.end.bind(desk),
  };
  service = await startService({}, { desk: slowDesk });
  holdMs = 80;
});
afterEach(() => service.stop());

test('a second click while the first waits for its turn logs in, with one code spent, and asks for no mailed link', async () => {
  const { codes, userId } = await enroll(service);
  // On a connection of its own, whose address nobody has asked for yet.
  const visitor = await givePassword({ ...service, headers: { connection: 'close' } });
  const _csrf = tokenIn((await visitor.get('/login/backup-code')).text);
  expect(
    await doubleClick(visitor, '/login/backup-code', { _csrf, code: codes[0]! }),
  ).toMatchObject({ status: 303, location: '/account' });
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 9 });
  expect(service.events.find(({ type }) => type === 'consumed')?.context.ip).toBe('127.0.0.1');
  expect(service.faults).toEqual([]);
});

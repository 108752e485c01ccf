// A client that disconnects keeps its address: its form is answered as if it were still connected.
import { setTimeout as wait } from 'node:timers/promises';
import { LocalFormsInProgress } from '../../src/web/forms-in-progress';
import { type Service, startService } from '../helpers/service';
import { doubleClick } from '../helpers/stories';
import { enroll, givePassword, tokenIn } from '../helpers/visitor';

let service: Service;
beforeEach(async () => {
  const forms = new LocalFormsInProgress();
  let holdMs = 0;
  const slowForms = {
    begin: async (form: string) => forms.begin(form).finally(() => wait(holdMs)),
    end: forms.end.bind(forms),
  };
  service = await startService({}, { forms: slowForms });
  holdMs = 80;
});
afterEach(() => service.stop());

test('A second click while the first one waits logs in without a mailed link', async () => {
  const { codes, userId } = await enroll(service);
  // On a new connection, whose address has not been read yet.
  const visitor = await givePassword({ ...service, headers: { connection: 'close' } });
  const _csrf = tokenIn((await visitor.get('/login/backup-code')).text);
  expect(
    await doubleClick(visitor, '/login/backup-code', { _csrf, code: codes[0]! }),
  ).toMatchObject({ status: 303, location: '/account' });
  expect(await service.backupCodes.status(userId)).toMatchObject({ remaining: 9 });
  expect(service.events.find(({ type }) => type === 'consumed')?.context.ip).toBe('127.0.0.1');
  expect(service.faults).toEqual([]);
});

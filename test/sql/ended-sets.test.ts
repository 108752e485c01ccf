// The tables keep the times of a set that has ended, and nothing to guess its codes against.
import { DAY_MS, HOUR_MS, START } from '../helpers/clock';
import { serviceOn } from '../helpers/service';
import { openSqlite } from '../helpers/stores';

type Row = Readonly<Record<string, unknown>>;

describe('sets that have ended', () => {
  it('a set that has ended keeps its times, and no salt or digest', async () => {
    const opened = await openSqlite();
    const { backupCodes, clock } = serviceOn(opened, { count: 2 });
    const first = await backupCodes.issue('ada');
    clock.advance(HOUR_MS);
    await backupCodes.consume('ada', first.codes[0]);
    clock.advance(HOUR_MS);
    const second = await backupCodes.issue('ada');
    clock.advance(HOUR_MS);
    await backupCodes.revoke('ada');

    const [[user], codes] = opened.rows() as [Row[], Row[]];
    const [issued, consumed, replaced, revoked] = [0, 1, 2, 3].map(
      (hours) => START + hours * HOUR_MS,
    );
    const times = (setId: string): unknown[] =>
      codes
        .filter((code) => code['set_id'] === setId)
        .map((code) => [code['created_at'], code['consumed_at'], code['ended_at']]);
    expect(times(first.setId)).toHaveLength(2);
    expect(times(first.setId)).toEqual(
      expect.arrayContaining([
        [issued, consumed, replaced],
        [issued, null, replaced],
      ]),
    );
    expect(times(second.setId)).toEqual([
      [replaced, null, revoked],
      [replaced, null, revoked],
    ]);
    expect(user).toMatchObject({
      set_id: second.setId,
      created_at: replaced,
      expires_at: START + 2 * HOUR_MS + 365 * DAY_MS,
      revoked_at: revoked,
      salt: null,
    });
    expect(codes.filter((code) => code['salt'] !== null || code['digest'] !== null)).toEqual([]);
    await opened.close();
  });
});

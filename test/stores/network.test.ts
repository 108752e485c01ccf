import fc from 'fast-check';
import { networkOf } from '../../lib/stores/network';

describe('networkOf', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['255.255.255.255', '255.255.255.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['::FFFF:C000:024D', '192.0.2.0/24'],
    ['2001:db8:1234:56ab:ffff::1', '2001:db8:1234:5600::/56'],
    ['2001:DB8:1234:56FF::', '2001:db8:1234:5600::/56'],
    ['fe80::1%eth0', 'fe80::/56'],
    ['64:ff9b::192.0.2.1', '64:ff9b::/56'],
    ['::1.2.3.4', '::/56'],
    ['2001:db8:0:1234::1.2.3.4', '2001:db8:0:1200::/56'],
    ['::1', '::/56'],
    ['::', '::/56'],
  ])('The network of %s is %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });

  it.each([null, '', 'unknown', '192.0.2', '192.0.2.300', '0x7f.1', '192.0.2.1:80', ' 192.0.2.1'])(
    'Everything that is not an address is one network: %p',
    (ip) => {
      expect(networkOf(ip)).toBe('');
    },
  );

  it('Every address that Node knows has a network', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (ip) => {
        expect(networkOf(ip)).toMatch(/\/(24|56)$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('A network is written in at most 45 characters, as the database stores it', () => {
    expect(networkOf('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff').length).toBeLessThanOrEqual(45);
  });
});

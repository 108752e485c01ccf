// Factors of a login: which were shown, of which kind, when, and what that amounts to. Verifies none.
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';

/** Something one knows, has or is. Two of one kind are no second factor: NIST SP 800-63B-4, section 2.2, asks for distinct ones. */
export type FactorKind = 'knowledge' | 'possession' | 'inherence';

/** One factor of a login. */
export interface Factor {
  /** The name by which the app and `except` know it. */
  readonly method: string;
  /** Its authentication method references, RFC 8176, section 2. They tell its kind. */
  readonly amr: readonly string[];
  /** When it was verified, in milliseconds since 1970. */
  readonly at: number;
}

/** What a login amounts to. */
export interface Assurance {
  /** Names of the methods, in the order they were shown, such as `['pwd', 'backup-code']`. */
  readonly methods: readonly string[];
  /**
   * Authentication method references, RFC 8176, section 2. `mfa` stands there only for two different kinds of factor, or where
   * the provider of a single sign-on (the method `sso`) said it.
   */
  readonly amr: readonly string[];
  /**
   * `aal2` where `amr` has `mfa`, else `aal1`: the levels of NIST SP 800-63B-4, section 2, as far as the
   * factors go. Never more: nothing here knows whether a method resists phishing.
   */
  readonly acr: 'aal1' | 'aal2';
}

/**
 * Values of RFC 8176, section 2, and the names methods commonly go by. A backup code is a look-up secret, a thing one
 * has (NIST SP 800-63B-4, section 3.1.2), and so of one kind with TOTP. Left out, and counted as no factor at all:
 * what NIST takes for none (`kba`), what is none (`user`, `geo`, `rba`, `mca`, `mfa`), and every other name.
 */
const KINDS: ReadonlyMap<string, FactorKind> = new Map([
  ...['pwd', 'pin', 'password'].map((name) => [name, 'knowledge'] as const),
  ...[
    'otp',
    'sms',
    'tel',
    'hwk',
    'swk',
    'pop',
    'sc',
    'totp',
    'hotp',
    'backup-code',
    'webauthn',
    'passkey',
  ].map((name) => [name, 'possession'] as const),
  ...['face', 'fpt', 'iris', 'retina', 'vbm'].map((name) => [name, 'inherence'] as const),
]);
/**
 * The method by which a login at another provider goes. There, and nowhere else, `mfa` is believed: it is what the provider says,
 * and whose word counts is for the app to know. It never says which kinds; what NIST SP 800-63B-4, section 2.2, takes for
 * multi-factor holds something one has and something else.
 */
const ELSEWHERE = 'sso';
const KINDS_OF_MFA: readonly FactorKind[] = ['knowledge', 'possession'];
const MAX_NAMES = 16;
/** Two machines' clocks may differ by this much. */
const CLOCK_SKEW_MS = 60_000;

/** The different kinds. One factor may be of two: a security key unlocked by a PIN, `['hwk', 'pin']`. */
export function kindsOf(
  factors: readonly { readonly method?: string; readonly amr: readonly string[] }[],
): FactorKind[] {
  return [
    ...new Set(
      factors.flatMap(({ method, amr }) =>
        amr.flatMap((name) =>
          method === ELSEWHERE && name === 'mfa' ? KINDS_OF_MFA : (KINDS.get(name) ?? []),
        ),
      ),
    ),
  ];
}

/** The factors of one step of a login. Where there are several, each goes by its own name: `except` may take one away. */
export function factorsOf(
  methods: readonly string[],
  amr: readonly string[],
  at: number,
): Factor[] {
  return methods.map((method) => ({ method, amr: methods.length === 1 ? amr : [method], at }));
}

export function assuranceOf(factors: readonly Factor[], amr: readonly string[]): Assurance {
  const isMultiFactor = kindsOf(factors).length >= 2;
  const references = new Set(amr.filter((value) => value !== 'mfa'));
  if (isMultiFactor) references.add('mfa');
  return {
    methods: factors.map(({ method }) => method),
    amr: [...references],
    acr: isMultiFactor ? 'aal2' : 'aal1',
  };
}

/** Whether `at` is no longer ago than that. A time in the future is no time, but for a little difference of clocks. */
export function isWithin(at: number, maxAgeSeconds: number, now: number): boolean {
  const ageMs = now - at;
  return ageMs <= maxAgeSeconds * 1000 && ageMs >= -CLOCK_SKEW_MS;
}

export function isNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= MAX_NAMES &&
    value.every((name) => typeof name === 'string' && /^[\x21-\x7e]{1,64}$/.test(name))
  );
}

/** @throws {BackupCodeError} `invalid_option` */
export function assertNames(option: string, value: unknown): asserts value is readonly string[] {
  if (isNames(value)) return;
  throw new BackupCodeError(
    'invalid_option',
    `${option} must be an array of 1 to ${MAX_NAMES} names such as ['pwd'], each of printable ASCII without spaces, but was ${describe(value)}.`,
  );
}

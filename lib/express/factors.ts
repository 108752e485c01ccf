// The factors of a login: of which kind, how fresh, and what they amount to. Verifies none of them.
import { BackupCodeError } from '../errors';
import { describe } from '../internal/validate';

/**
 * What the user knows, has or is. NIST SP 800-63B-4, section 2.2, asks for two *distinct* kinds:
 * two factors of one kind are not multi-factor.
 */
export type FactorKind = 'knowledge' | 'possession' | 'inherence';

/** One factor of a login. */
export interface Factor {
  /** The name that the app and `except` use. */
  readonly method: string;
  /** Its authentication method references: RFC 8176, section 2. Its kinds follow from them. */
  readonly amr: readonly string[];
  /** When it was verified, in milliseconds since 1970. */
  readonly at: number;
}

/** What a login amounts to. */
export interface Assurance {
  /** The names of the methods in the order they were shown, such as `['pwd', 'backup-code']`. */
  readonly methods: readonly string[];
  /**
   * Authentication method references: RFC 8176, section 2. `mfa` is among them only if two
   * different kinds of factor were shown, or if a single sign-on (the method `sso`) asserted it.
   */
  readonly amr: readonly string[];
  /**
   * `aal2` if `amr` has `mfa`, else `aal1`: the levels of NIST SP 800-63B-4, section 2, as far as
   * the factors go. Never higher: this package cannot tell whether a method resists phishing.
   */
  readonly acr: 'aal1' | 'aal2';
}

/**
 * Values of RFC 8176, section 2, and common names of methods. A backup code is a look-up secret,
 * which the user *has* (NIST SP 800-63B-4, section 3.1.2): the same kind as TOTP. Every name that
 * is not here counts as no factor: `kba`, which NIST does not accept; `user`, `geo`, `rba`, `mca`
 * and `mfa`, which say how a factor was used; and unknown names.
 */
const NAMES_OF_KIND: Readonly<Record<FactorKind, readonly string[]>> = {
  knowledge: ['pwd', 'pin', 'password'],
  possession: [
    ...['otp', 'sms', 'tel', 'hwk', 'swk', 'pop', 'sc'],
    ...['totp', 'hotp', 'backup-code', 'webauthn', 'passkey'],
  ],
  inherence: ['face', 'fpt', 'iris', 'retina', 'vbm'],
};
const KIND_BY_NAME: ReadonlyMap<string, FactorKind> = new Map(
  (['knowledge', 'possession', 'inherence'] as const).flatMap((kind) =>
    NAMES_OF_KIND[kind].map((name) => [name, kind] as const),
  ),
);

/**
 * The method of a login at another provider. `mfa` is believed for this method only: the provider
 * asserted it, and the app decides which providers it trusts. An assertion never says which kinds;
 * multi-factor in the sense of NIST SP 800-63B-4, section 2.2, includes what the user has.
 */
const SINGLE_SIGN_ON = 'sso';
const KINDS_OF_MFA: readonly FactorKind[] = ['knowledge', 'possession'];

const MAX_NAMES = 16;
/** The clocks of two servers may differ by this much. */
const CLOCK_SKEW_MS = 60_000;

/** Returns the different kinds. One factor may have two: `['hwk', 'pin']` is a key with a PIN. */
export function listKinds(
  factors: readonly { readonly method?: string; readonly amr: readonly string[] }[],
): FactorKind[] {
  return [
    ...new Set(
      factors.flatMap(({ method, amr }) =>
        amr.flatMap((name) =>
          method === SINGLE_SIGN_ON && name === 'mfa'
            ? KINDS_OF_MFA
            : (KIND_BY_NAME.get(name) ?? []),
        ),
      ),
    ),
  ];
}

/**
 * Returns the factors of one step of a login. Each of several methods gets its own name as `amr`,
 * so that `except` can leave out one of them.
 */
export function makeFactors({
  methods,
  amr,
  at,
}: {
  readonly methods: readonly string[];
  readonly amr: readonly string[];
  readonly at: number;
}): Factor[] {
  return methods.map((method) => ({ method, amr: methods.length === 1 ? amr : [method], at }));
}

/** Says what the factors amount to. `mfa` follows from their kinds; it is not copied. */
export function computeAssurance(factors: readonly Factor[], amr: readonly string[]): Assurance {
  const isMultiFactor = listKinds(factors).length >= 2;
  const references = new Set(amr.filter((value) => value !== 'mfa'));
  if (isMultiFactor) references.add('mfa');
  return {
    methods: factors.map(({ method }) => method),
    amr: [...references],
    acr: isMultiFactor ? 'aal2' : 'aal1',
  };
}

/** Whether `at` is at most that long ago. A time in the future is not, except for clock skew. */
export function isFresh(
  at: number,
  { maxAgeSeconds, now }: { readonly maxAgeSeconds: number; readonly now: number },
): boolean {
  const ageMs = now - at;
  return ageMs <= maxAgeSeconds * 1000 && ageMs >= -CLOCK_SKEW_MS;
}

/** Whether the value is a list of 1 to 16 names, each of printable ASCII without spaces. */
export function areMethodNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= MAX_NAMES &&
    value.every((name) => typeof name === 'string' && /^[\x21-\x7e]{1,64}$/.test(name))
  );
}

/** @throws {BackupCodeError} `invalid_option` */
export function assertMethodNames(
  option: string,
  value: unknown,
): asserts value is readonly string[] {
  if (areMethodNames(value)) return;
  throw new BackupCodeError(
    'invalid_option',
    `${option} must be an array of 1 to ${MAX_NAMES} names such as ['pwd'], each of printable ` +
      `ASCII without spaces, but was ${describe(value)}.`,
  );
}

import fc from 'fast-check';
import type { AuditEvent } from '../../lib';
import { auditEvent } from '../../lib/audit/events';
import { EVENT_TYPES, toEcs, toOcsf, toOwasp } from '../../lib/siem';
import { failure } from '../helpers/errors';
import { anyEvents, anyUnknownType, runEveryOperation, type ServiceOutput } from './events';
import { appId, toJson, violations, VOCABULARIES, type Vocabulary } from './schemas';

/** Characters that may end a line, and those that change the direction of writing. */
const BREAKS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u;
const FORGED = 'ada\r\n{"level":"INFO"}\u0085\u2028';

let output: ServiceOutput;
beforeAll(async () => {
  output = await runEveryOperation(FORGED);
});

describe.each(VOCABULARIES)('the vocabulary %s', (vocabulary) => {
  it.each(EVENT_TYPES)('an event of the type %s is valid in the vocabulary', (type) => {
    fc.assert(
      fc.property(anyEvents(type), (events) => {
        for (const event of events) {
          const json = toJson(vocabulary, event);
          expect(json).not.toMatch(BREAKS);
          expect(violations(vocabulary, JSON.parse(json))).toEqual([]);
        }
      }),
      { numRuns: 3 },
    );
  });

  it('an event of a type that the vocabulary does not know is valid, with any details', () => {
    fc.assert(
      fc.property(anyUnknownType.chain(anyEvents), (events) => {
        for (const event of events) {
          const json = toJson(vocabulary, event);
          expect(json).not.toMatch(BREAKS);
          expect(violations(vocabulary, JSON.parse(json))).toEqual([]);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('every event that a service writes is valid, and there is one of each type', () => {
    expect(new Set(output.events.map(({ type }) => type))).toEqual(new Set(EVENT_TYPES));
    for (const event of output.events)
      expect(violations(vocabulary, JSON.parse(toJson(vocabulary, event)))).toEqual([]);
  });

  it('each event is one line, whatever the user id is', () => {
    const lines = output.events
      .map((event) => toJson(vocabulary, event))
      .join('\n')
      .split(/\r\n|[\r\n\u0085\u2028\u2029]/u);
    expect(lines).toHaveLength(output.events.length);
    for (const line of lines) expect(violations(vocabulary, JSON.parse(line))).toEqual([]);
  });

  it('no mapped event contains a code, with or without its separator', () => {
    const mapped = output.events
      .map((event) => toJson(vocabulary, event))
      .join('\n')
      .toUpperCase();
    expect(output.codes).toHaveLength(33);
    for (const code of output.codes) {
      expect(mapped).not.toContain(code);
      expect(mapped).not.toContain(code.replace('-', ''));
    }
  });

  it('mapping an event does not change it', () => {
    for (const event of output.events) {
      const before = structuredClone(event);
      toJson(vocabulary, Object.freeze(event));
      expect(event).toEqual(before);
    }
  });
});

describe.each([
  ['toOwasp', toOwasp],
  ['toOcsf', toOcsf],
  ['toEcs', toEcs],
] as const)('%s', (_name, map) => {
  const event = auditEvent('issued', {
    at: 0,
    userId: 'ada',
    context: { ip: null, userAgent: null, requestId: null, actor: null, channel: 'second_factor' },
  });

  it.each([undefined, null, {}, { appId: '' }, { appId: 7 }, { appId, appid: appId }])(
    'a mapping requires the name of the app and no other option, and refuses %j',
    (options) => {
      expect(() => map(event, options as unknown as { appId: string })).toThrow(
        failure('invalid_option'),
      );
    },
  );
});

/** A real event of this type, as a document that a test may change. */
function documentOf(vocabulary: Vocabulary, type: AuditEvent['type']): Record<string, unknown> {
  const event = output.events.find((candidate) => candidate.type === type);
  if (event === undefined) throw new Error(`There is no ${type}.`);
  return JSON.parse(toJson(vocabulary, event)) as Record<string, unknown>;
}

/** Sets the value at a path; `undefined` removes it. */
function setAtPath(document: Record<string, unknown>, path: string, value: unknown): unknown {
  const names = path.split('.');
  const last = names.pop()!;
  const holder = names.reduce((node, name) => node[name] as Record<string, unknown>, document);
  if (value === undefined) Reflect.deleteProperty(holder, last);
  else holder[last] = value;
  return document;
}

describe('the schemas of the tests', () => {
  it.each([
    ['owasp', 'consumed', 'level', 'WARN'],
    ['owasp', 'consumed', 'event', 'authn_login_succeeded:ada'],
    ['owasp', 'consumed', 'event', 'authn_login_success:ada,eve'],
    ['owasp', 'locked', 'event', 'authn_login_lock:ada,because'],
    ['owasp', 'consumed', 'datetime', '2026-11-21T00:00:00Z'],
    ['owasp', 'consumed', 'datetime', undefined],
    ['owasp', 'consumed', 'appid', undefined],
    ['owasp', 'consumed', 'userid', 'ada'],
    ['ocsf', 'consumed', 'type_uid', 300_101],
    ['ocsf', 'consumed', 'activity_id', 8],
    ['ocsf', 'consumed', 'activity_name', 'Login'],
    ['ocsf', 'issued', 'activity_id', 10],
    ['ocsf', 'consumed', 'class_uid', 3001],
    ['ocsf', 'consumed', 'category_uid', 4],
    ['ocsf', 'consumed', 'severity_id', 7],
    ['ocsf', 'consumed', 'severity', 'Info'],
    ['ocsf', 'consumed', 'status_id', 3],
    ['ocsf', 'consumed', 'service', undefined],
    ['ocsf', 'issued', 'service', { name: appId }],
    ['ocsf', 'issued', 'is_mfa', true],
    ['ocsf', 'staged', 'activity_name', undefined],
    ['ocsf', 'consumed', 'user', undefined],
    ['ocsf', 'consumed', 'user', {}],
    ['ocsf', 'consumed', 'actor', { user: {} }],
    ['ocsf', 'consumed', 'metadata.product', undefined],
    ['ocsf', 'consumed', 'metadata.version', undefined],
    ['ocsf', 'consumed', 'auth_factors', [{ factor_type: 'Backup code' }]],
    ['ocsf', 'consumed', 'auth_factors', [{ factor_type_id: 12, factor_type: 'Backup code' }]],
    ['ocsf', 'consumed', 'src_endpoint.ip', 'localhost'],
    ['ocsf', 'consumed', 'http_request.request_id', 'r-1'],
    ['ocsf', 'consumed', 'time', '2026-11-21'],
    ['ecs', 'consumed', '@timestamp', undefined],
    ['ecs', 'consumed', '@timestamp', 1_795_219_200_000],
    ['ecs', 'consumed', 'event.category', ['login']],
    ['ecs', 'consumed', 'event.category', 'authentication'],
    ['ecs', 'consumed', 'event.type', ['change']],
    ['ecs', 'issued', 'event.type', ['change']],
    ['ecs', 'issued', 'event.type', ['user', 'start']],
    ['ecs', 'low', 'event.outcome', 'success'],
    ['ecs', 'consumed', 'event.outcome', 'ok'],
    ['ecs', 'consumed', 'event.kind', 'log'],
    ['ecs', 'consumed', 'event.user', 'ada'],
    ['ecs', 'consumed', 'source.ip', 'localhost'],
    ['ecs', 'consumed', 'labels.remaining', 7],
    ['ecs', 'consumed', 'ecs', undefined],
    ['ecs', 'consumed', 'backup_code', {}],
  ] as const)(
    'the schema of %s refuses a %s event in which %s is %j',
    (vocabulary, type, path, value) => {
      const document = documentOf(vocabulary, type);
      expect(violations(vocabulary, document)).toEqual([]);
      expect(violations(vocabulary, setAtPath(document, path, value))).not.toEqual([]);
    },
  );
});

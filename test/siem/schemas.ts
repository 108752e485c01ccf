// The three vocabularies as JSON Schema, made from their official definitions, which each file
// names. No schema is fetched.
import Ajv, { type ValidateFunction } from 'ajv';
import Ajv2019 from 'ajv/dist/2019';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { AuditEvent } from '../../lib';
import { toEcs, toOcsf, toOwasp } from '../../lib/siem';

const options = {
  allErrors: true,
  strictRequired: false,
  strictTypes: false,
  formats: { ip: (text: string) => isIP(text) !== 0 && !text.includes('%') },
} as const;

function compile(ajv: Ajv | Ajv2019, name: string): ValidateFunction {
  return ajv.compile(
    JSON.parse(readFileSync(join(__dirname, 'schemas', `${name}.schema.json`), 'utf8')) as object,
  );
}

const validators = {
  owasp: compile(new Ajv(options), 'owasp'),
  ocsf: compile(new Ajv2019(options), 'ocsf'),
  ecs: compile(new Ajv(options), 'ecs'),
};

export type Vocabulary = keyof typeof validators;
export const VOCABULARIES = Object.keys(validators) as Vocabulary[];

export const appId = 'shop.login';
const mappings = { owasp: toOwasp, ocsf: toOcsf, ecs: toEcs };

/** An event as it leaves the process: one string. */
export function toJson(vocabulary: Vocabulary, event: AuditEvent): string {
  return JSON.stringify(mappings[vocabulary](event, { appId }));
}

/** What the schema finds wrong with a document; empty if it is valid. */
export function violations(vocabulary: Vocabulary, document: unknown): string[] {
  const validate = validators[vocabulary];
  return validate(document)
    ? []
    : (validate.errors ?? []).map(
        ({ instancePath, message, params }) =>
          `${instancePath} ${message} ${JSON.stringify(params)}`,
      );
}

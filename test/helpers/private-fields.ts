// Reads `#private` fields as a debugger does, so that the canary searches what an object keeps.
import { Session } from 'node:inspector';
import { runInThisContext } from 'node:vm';

interface RemoteObject {
  readonly objectId?: string;
}

interface PrivateProperty {
  readonly name: string;
  /** Missing for a private method. */
  readonly value?: RemoteObject;
}

/** The debugger shares objects only with the main context. Each test file has its own. */
const shared = runInThisContext('globalThis') as Record<string, unknown>;

/** The private fields of an object, by name. Empty if it has none. */
export function privateFieldsOf(object: object): Record<string, unknown> {
  const session = new Session();
  session.connect();
  const call = (method: string, parameters: object): unknown => {
    let answer: { error: Error | null; result: unknown } | undefined;
    session.post(method, parameters, (error, result: unknown) => (answer = { error, result }));
    if (answer === undefined) throw new Error(`The debugger did not answer ${method} at once.`);
    if (answer.error !== null) throw answer.error;
    return answer.result;
  };
  try {
    shared['inspectedObject'] = object;
    const { result } = call('Runtime.evaluate', {
      expression: 'inspectedObject',
    }) as { result: RemoteObject };
    const { privateProperties = [] } = call('Runtime.getProperties', {
      objectId: result.objectId,
      ownProperties: true,
    }) as { privateProperties?: readonly PrivateProperty[] };
    const fields: Record<string, unknown> = {};
    for (const { name, value } of privateProperties) {
      if (value === undefined || value.objectId === undefined) continue;
      call('Runtime.callFunctionOn', {
        objectId: value.objectId,
        functionDeclaration: 'function () { globalThis.inspectedField = this; }',
      });
      fields[name] = shared['inspectedField'];
    }
    return fields;
  } finally {
    delete shared['inspectedObject'];
    delete shared['inspectedField'];
    session.disconnect();
  }
}

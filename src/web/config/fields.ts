/** Typed reading of the web configuration's YAML tree. A problem names key and line and says what was expected, never the value. */
import type { YamlNode } from '../../filebeat/yaml/yaml.js';

export interface Problem {
  /** Dotted, as in `tls_server_config.cert_file`. Empty: the whole file. */
  key: string;
  /** 1-based; absent where the whole file is meant. */
  line?: number;
  /** A clause: `expected a file name`, `does not belong to the certificate`. */
  what: string;
}

/** A key of the file with its value. */
export interface Field {
  key: string;
  line: number;
  node: YamlNode;
}

export function problemText(file: string, { key, line, what }: Problem): string {
  const place = line === undefined ? file : `${file}:${line}`;
  return key ? `${place}: ${key}: ${what}` : `${place}: ${what}`;
}

/** Reads of one file share the list of problems that they add to. All of them give `undefined` for an absent or empty value. */
export function createFields(problems: Problem[]) {
  const complain = (field: Pick<Field, 'key' | 'line'>, what: string): undefined => {
    problems.push({ key: field.key, line: field.line, what });
  };
  const scalar = (field: Field, type: 'string' | 'bool' | 'int', expected: string) => {
    if (isEmpty(field.node)) return undefined;
    if (field.node.kind === 'scalar' && field.node.type === type) return field.node.value;
    return complain(field, `expected ${expected}`);
  };
  const text = (field: Field | undefined, expected = 'a text'): string | undefined => {
    const value = field && scalar(field, 'string', expected);
    if (field && value === '') return complain(field, `expected ${expected}`);
    return value as string | undefined;
  };
  const oneOf = <T>(field: Field | undefined, choices: ReadonlyMap<string, T>): T | undefined => {
    const expected = `one of ${[...choices.keys()].join(', ')}`;
    const value = text(field, expected);
    if (field === undefined || value === undefined) return undefined;
    return choices.has(value) ? choices.get(value) : complain(field, `expected ${expected}`);
  };
  const list = (field: Field | undefined, expected: string): Field[] | undefined => {
    if (!field || isEmpty(field.node)) return undefined;
    if (field.node.kind !== 'list') return complain(field, `expected a list of ${expected}`);
    return field.node.items.map((node) => ({ key: field.key, line: node.line, node }));
  };
  return {
    complain,
    text,
    oneOf,
    list,
    flag: (field: Field | undefined): boolean | undefined =>
      field && (scalar(field, 'bool', 'true or false') as boolean | undefined),
    whole: (field: Field | undefined, expected: string): number | undefined =>
      field && (scalar(field, 'int', expected) as number | undefined),
    /** Keys of a map; those not in `known` are problems. Without `known`: any key, and none is ever named. */
    map: (field: Field | undefined, known?: readonly string[]): Map<string, Field> => {
      const found = new Map<string, Field>();
      if (!field || isEmpty(field.node)) return found;
      if (field.node.kind !== 'map') {
        complain(field, 'expected a map');
        return found;
      }
      const path = field.key && `${field.key}.`;
      // A second, empty `basic_auth_users` would let everybody in.
      for (const { key, line } of field.node.duplicates ?? [])
        complain({ key: known ? path + printable(key) : field.key, line }, 'expected once');
      for (const { key, line, value } of field.node.entries) {
        if (known && !known.includes(key))
          complain({ key: path + printable(key), line }, `unknown key, expected one of ${known.join(', ')}`);
        else found.set(key, { key: known ? path + key : field.key, line, node: value });
      }
      return found;
    },
  };
}

export type Fields = ReturnType<typeof createFields>;

function isEmpty(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.type === 'null';
}

/** A mistaken file can have anything for a key; only what looks like one is repeated. */
function printable(key: string): string {
  return /^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(key) ? key : '(no name)';
}

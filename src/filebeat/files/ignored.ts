/**
 * Parts of a file that Filebeat silently ignores: the earlier value of a repeated key, a second YAML document. Pure.
 */
import type { Fault } from '../../model/model.js';
import type { SecondDocument, YamlNode } from '../yaml/yaml.js';

/** One ignored part of a file. */
export interface Ignored {
  fault: Fault;
  /** The ignored part, in the form of a whole file of this role. Absent: which listeners it declares is not known. */
  part?: { role: string; root: YamlNode };
}

/** Keys whose earlier value held inputs or modules. */
const lists = /^(?:inputs|prospectors|modules)$/;
const ofMain = /^filebeat(?:\.(?:inputs|prospectors|modules))?$/;
/** Keys of an input that say where it listens. */
const ofInput = /^(?:host|listen_address|listen_port|type|protocol)$/;

/** A map with one entry. */
const keyed = (key: string, value: YamlNode): YamlNode => {
  const { line } = value;
  return { kind: 'map', line, entries: [{ key, line, value }] };
};

/** The ignored parts of one file. `role`: of a ConfigFile. */
export function ignoredIn(
  root: YamlNode | undefined,
  role: string,
  path: string,
  second: SecondDocument | undefined,
): Ignored[] {
  const all: Ignored[] = [];
  const note = (fault: Omit<Fault, 'at'>, line: number, part: YamlNode | undefined) =>
    all.push({
      fault: { ...fault, at: { file: path, line } },
      ...(part === undefined ? {} : { part: { role, root: part } }),
    });
  const twice = (
    node: YamlNode | undefined,
    keys: RegExp,
    partOf: (key: string, value: YamlNode) => YamlNode | undefined,
  ) => {
    if (node?.kind !== 'map') return;
    for (const { key, line, value } of node.duplicates ?? [])
      if (keys.test(key)) note({ code: 'key-twice', subject: key }, line, partOf(key, value));
  };
  const entry = (node: YamlNode | undefined, key: string) =>
    node?.kind === 'map' ? node.entries.find((pair) => pair.key === key)?.value : undefined;
  const inputsOf = (node: YamlNode | undefined) => {
    // One input declares one host: the earlier value was most likely replaced on purpose.
    for (const input of node?.kind === 'list' ? node.items : []) twice(input, ofInput, () => undefined);
  };
  if (second !== undefined) note({ code: 'second-document' }, second.line, second.root);
  if (role === 'inputs') inputsOf(root);
  if (role !== 'main') return all;
  twice(root, ofMain, keyed);
  const section = entry(root, 'filebeat');
  twice(section, lists, (key, value) => keyed(`filebeat.${key}`, value));
  for (const key of ['inputs', 'prospectors']) {
    inputsOf(entry(section, key));
    inputsOf(entry(root, `filebeat.${key}`));
  }
  return all;
}

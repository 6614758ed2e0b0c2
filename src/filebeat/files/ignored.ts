/** What stands in a file and Filebeat never sees, without a word: keys written twice, a second YAML document. Pure. */
import type { Fault } from '../../model/model.js';
import type { YamlNode } from '../yaml/yaml.js';

/** Keys whose earlier value held inputs or modules. */
const lists = /^(?:inputs|prospectors|modules)$/;
const ofMain = /^filebeat(?:\.(?:inputs|prospectors|modules))?$/;
/** Keys of an input that say where it listens. */
const ofInput = /^(?:host|listen_address|listen_port|type|protocol)$/;

/** `role`: of the file. `second`: the line of a second document that says something. */
export function ignoredIn(root: YamlNode | undefined, role: string, path: string, second: number | undefined): Fault[] {
  const faults: Fault[] = second === undefined ? [] : [{ code: 'second-document', at: { file: path, line: second } }];
  const twice = (node: YamlNode | undefined, keys: RegExp) => {
    if (node?.kind !== 'map') return;
    for (const { key, line } of node.duplicates ?? [])
      if (keys.test(key)) faults.push({ code: 'key-twice', subject: key, at: { file: path, line } });
  };
  const entry = (node: YamlNode | undefined, key: string) =>
    node?.kind === 'map' ? node.entries.find((one) => one.key === key)?.value : undefined;
  const inputsOf = (node: YamlNode | undefined) => {
    for (const input of node?.kind === 'list' ? node.items : []) twice(input, ofInput);
  };
  if (role === 'inputs') inputsOf(root);
  if (role !== 'main') return faults;
  twice(root, ofMain);
  const section = entry(root, 'filebeat');
  twice(section, lists);
  for (const key of ['inputs', 'prospectors']) {
    inputsOf(entry(section, key));
    inputsOf(entry(root, `filebeat.${key}`));
  }
  return faults;
}

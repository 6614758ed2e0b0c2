/**
 * Sentences for faults: why Filebeat does not start, or an input or a file is missing. Never contain a setting's
 * value.
 */
import type { Fault } from '../model/model.js';

/** `{subject|words}`: the setting, flag or file; the words if the fault names none. */
const sentences = {
  // the command line
  'unknown-flag': 'This release does not know the flag {subject|on its command line}.',
  'unknown-subcommand': 'A word on the command line is neither a subcommand nor the value of a flag.',
  'flag-without-value': 'The flag {subject|on the command line} has no value.',
  'bad-flag-value': 'The flag {subject|on the command line} takes true or false.',
  'bad-override': 'The override {subject|on the command line} cannot be read.',
  'not-a-collector': 'The subcommand {subject|given} ends by itself and opens no socket.',
  'runs-once': 'With --once it ends by itself.',
  // files
  'file-missing': 'The file {subject|named here} does not exist.',
  'file-unseen': 'The file {subject|named here} could not be read by the exporter.',
  'is-directory': 'The file {subject|named here} is a directory.',
  'wrong-owner': 'The file {subject|read here} belongs neither to root nor to the user that runs Filebeat.',
  'writable-by-others': 'The file {subject|read here} is writable by its group or by others, which Filebeat refuses.',
  'not-a-list':
    'The file {subject|read here} has a map instead of a list of entries; Filebeat ignores it without a message.',
  'key-twice': 'The key {subject|named here} is written twice; Filebeat uses only the later one.',
  'second-document': 'A second YAML document begins here; Filebeat reads only the first one.',
  'bad-glob': 'The pattern in {subject|a path} is malformed.',
  'script-missing': 'The script file of a processor does not exist.',
  'script-syntax': 'The script of a processor is not valid ECMAScript 5, the only edition that Filebeat compiles.',
  'script-throws': 'The script of a processor throws when it is loaded: it uses an undefined name.',
  'script-no-process': 'The script of a processor does not define a function named process.',
  'script-no-register': 'A processor has params, but its script does not define a function named register.',
  // YAML
  'yaml-syntax': 'The file is not valid YAML.',
  'yaml-encoding': 'The file contains a byte that is not allowed: invalid UTF-8 or a control character.',
  'yaml-key': 'A key is not a string (quote names such as yes, on, or 1).',
  'yaml-alias': 'An alias refers to an unknown anchor or to itself, or the aliases expand to too many nodes.',
  'yaml-merge': 'A merge key (<<) does not refer to a map.',
  'yaml-tag': 'A tag does not fit its value.',
  'yaml-limit': 'The file is too large or too deeply nested to be read.',
  // values and variables
  'bad-expansion': 'A variable expression ${…} is not closed, or empty.',
  'bad-value-text': 'The value of a variable cannot be parsed: it looks like a list or an object, but is not one.',
  'undefined-variable': 'The variable {subject|named here} is not defined.',
  'reference-cycle': 'A variable refers to itself.',
  'value-too-long': 'A value is too long to be evaluated.',
  'not-an-object': 'The setting {subject|named here} is not a section, but something is set below it.',
  'bad-index': 'A number in the name of {subject|a setting} cannot be an index of a list.',
  'wrong-type': 'The setting {subject|read here} has the wrong type.',
  'bad-value': 'The setting {subject|read here} has a value that Filebeat does not accept.',
  'missing-setting': 'The setting {subject|required here} is missing.',
  'removed-setting': 'The setting {subject|used here} has been removed from this release.',
  'removed-or-unknown': 'This release does not know {subject|this setting}.',
  'more-than-one-choice': 'The section {subject|read here} may have only one of its names; more than one is enabled.',
  'ambiguous-setting':
    'The setting {subject|named here} is written twice in different spellings; Filebeat uses one of them at random.',
  'settings-exclude': 'The setting {subject|read here} excludes another one that is also set.',
  'settings-conflict': 'The setting {subject|read here} must not be larger than the size that limits it.',
  'bad-address': 'The setting {subject|read here} has an address that cannot be parsed: write host:port or a URL.',
  // files and folders that settings name
  'named-file-missing': 'The file that {subject|a setting} names does not exist.',
  'no-certificate':
    'The setting {subject|read here} gives no certificate: expected PEM, with a line BEGIN CERTIFICATE.',
  'no-key': 'The setting {subject|read here} gives no private key: expected PEM, with a line that starts with BEGIN.',
  'not-a-pair': 'The key that {subject|a setting} gives does not match its certificate.',
  'wrong-passphrase': 'The passphrase that {subject|a setting} gives does not decrypt the key.',
  'no-keytab': 'The file that {subject|a setting} names is not a keytab.',
  'no-keystore': 'The file that {subject|keystore.path} names is not a Filebeat keystore.',
  'folder-blocked': 'The folder of {subject|a setting} cannot be created: a file is in the way.',
  'path-in-the-way': 'The path that {subject|a setting} names for a socket is taken by something else.',
  'folder-missing': 'The folder of the socket that {subject|a setting} names does not exist.',
  'not-on-linux': 'The setting {subject|read here} is for named pipes, which exist only on Windows.',
  // the program as a whole
  'nothing-enabled': 'No input or module is enabled and no included files are configured.',
  'no-output': 'No output is defined.',
  'unknown-output': 'This release does not know {subject|this output}.',
  'managed-without-agent':
    'The configuration enables management by an agent, but no agent started Filebeat: remove the section, or set management.enabled to false.',
  'no-monitoring-reporter':
    'The section {subject|monitoring} is enabled without an Elasticsearch to report to: set its elasticsearch.hosts, or enabled to false.',
  'no-daemon': 'Autodiscover for {subject|a daemon} needs the daemon at the start, but the daemon is not there.',
  'no-cluster':
    'Autodiscover for {subject|Kubernetes} needs a cluster at the start, but Filebeat runs in no cluster and has no kube_config.',
  'unknown-provider': 'An autodiscover provider is unknown.',
  // inputs
  'unknown-input': 'This release does not know the type of an input.',
  'deprecated-input': 'This release refuses {subject|such} inputs without allow_deprecated_use: true.',
  'inputs-and-prospectors': 'Inputs and prospectors are both configured; this release accepts only one of them.',
  'identical-inputs': 'Two inputs are identical.',
  'filestream-id-twice': 'Two filestream inputs have the same id, or none.',
  'stdin-not-alone': 'A stdin input must be the only input.',
  'certificate-unusable': 'A certificate or key that {subject|an input} names is missing, or is not in PEM form.',
  'no-paths': 'An input that reads files has no paths.',
  'no-protocol': 'A syslog input needs protocol.udp or protocol.tcp.',
  'unknown-processor': 'This release does not know the processor {subject|named here}.',
  'bad-processor': 'A processor is not written as Filebeat expects ({subject|one action each}).',
  'setting-not-allowed': 'This processor does not accept the setting {subject|read here}.',
  'bad-condition': 'The condition of a processor cannot be used ({subject|it is missing or unknown}).',
  // modules
  'modules-unreadable': 'The module folder could not be read.',
  'unknown-module': 'The module {subject|named here} does not exist in this installation.',
  'unknown-fileset': 'The fileset {subject|named here} does not exist in this installation.',
  'no-enabled-fileset': 'The module {subject|named here} has no enabled fileset.',
  'no-module-folder': 'The module folder {subject|of Filebeat} does not exist; Filebeat runs without modules.',
  'module-name-missing': 'An entry of the modules has no module name.',
  'fileset-wrong-type': 'The fileset {subject|read here} is neither a section nor empty.',
  'bad-module-override': 'An override with {subject|-M} does not name a fileset.',
  'manifest-invalid': 'The manifest of {subject|a fileset} cannot be used.',
  'module-file-missing': 'The template that the manifest of {subject|a fileset} names does not exist.',
  'module-template-yaml': 'The rendered template of {subject|a fileset} is not valid YAML with these variables.',
  'template-failed': 'The template of {subject|a fileset} cannot be rendered with these variables.',
  'template-unsupported': 'The template of {subject|a fileset} uses something that this exporter does not support.',
  'release-decides': 'Its release is unknown: {subject|some releases would start with its files, others would not}.',
  // ourselves
  defect: 'An internal error of the exporter: please report it.',
  // inputs that come from elsewhere
  managed: 'An agent sends its configuration.',
  hosted: 'Its inputs run inside {subject|another program}, which gets them from elsewhere.',
  autodiscover: 'Autodiscover creates inputs from what it finds at run time.',
} as const satisfies Record<string, string>;

export type FaultCode = keyof typeof sentences;

/** All codes, for tests and documentation. */
export const faultCodes: readonly string[] = Object.keys(sentences);

/** One sentence, e.g. `The variable UDP_PORT is not defined.` */
export function faultText({ code, subject, takes }: Fault): string {
  const sentence = (sentences as Record<string, string>)[code] ?? 'Filebeat does not accept it ({subject|no details}).';
  const text = sentence.replace(/\{subject\|([^}]*)\}/, (_all, otherwise: string) => subject ?? otherwise);
  const remedy = takes === undefined ? '' : ` It takes ${takes}.`;
  return text.charAt(0).toUpperCase() + text.slice(1) + remedy;
}

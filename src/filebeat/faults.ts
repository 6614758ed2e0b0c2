/** Sentences for faults: why Filebeat does not start, or an input or a file is missing. Never contain a setting's value. */
import type { Fault } from '../model/model.js';

/** `{subject|words}`: the setting, flag or file; the words if the fault names none. */
const sentences = {
  // the command line
  'unknown-flag': 'This release does not know the flag {subject|on its command line}.',
  'unknown-subcommand': 'A word on the command line is neither a subcommand nor the value of a flag.',
  'flag-without-value': 'The flag {subject|on the command line} lacks its value.',
  'bad-flag-value': 'The flag {subject|on the command line} takes true or false.',
  'bad-override': 'The override {subject|on the command line} cannot be read.',
  'not-a-collector': 'The subcommand {subject|given} ends by itself and opens no socket.',
  'runs-once': 'With --once it ends as soon as it has started.',
  // files
  'file-missing': 'The file {subject|named here} does not exist.',
  'file-unseen': 'The file {subject|named here} could not be read by the exporter.',
  'is-directory': 'The file {subject|named here} is a directory.',
  'wrong-owner': 'The file {subject|read here} belongs neither to root nor to the user that runs Filebeat.',
  'writable-by-others':
    'The file {subject|read here} may be written by its group or by others; Filebeat insists on chmod go-w.',
  'not-a-list':
    'A map stands where a list of entries is wanted ({subject|here}); Filebeat takes nothing of it and says nothing.',
  'key-twice': 'The key {subject|named here} is written twice, and Filebeat takes only the later one.',
  'second-document': 'A second YAML document begins here, and Filebeat reads only the first one.',
  'bad-glob': 'The pattern in {subject|a path} is malformed.',
  'script-missing': 'The script file of a processor does not exist.',
  'script-syntax': 'The script of a processor is not valid ECMAScript 5, which is all that Filebeat compiles.',
  'script-throws': 'The script of a processor throws while it is loaded: it uses a name that is defined nowhere.',
  'script-no-process': 'The script of a processor does not define a function named process.',
  'script-no-register': 'A processor has params, but its script does not define a function named register.',
  // YAML
  'yaml-syntax': 'The file is not valid YAML.',
  'yaml-encoding': 'The file holds a byte that is not allowed: it is not UTF-8, or a control character.',
  'yaml-key': 'A key is not a text (quote names such as yes, on, or 1).',
  'yaml-alias': 'An alias refers to an anchor that does not exist, or to itself, or aliases multiply beyond measure.',
  'yaml-merge': 'A merge key (<<) does not refer to a map.',
  'yaml-tag': 'A tag does not fit its value.',
  'yaml-limit': 'The file is too large or too deeply nested to be read.',
  // values and variables
  'bad-expansion': 'A variable expression ${…} is not closed, or empty.',
  'bad-value-text': 'What a variable expands to cannot be read: it looks like a list or an object and is none.',
  'undefined-variable': 'The variable {subject|named here} is not defined.',
  'reference-cycle': 'A variable refers to itself.',
  'value-too-long': 'A value is too long to be worked out.',
  'not-an-object': 'The setting {subject|named here} is not a section, but something is set below it.',
  'bad-index': 'A number in the name of {subject|a setting} cannot be a place in a list.',
  'wrong-type': 'The setting {subject|read here} has the wrong type.',
  'bad-value': 'The setting {subject|read here} has a value that Filebeat does not accept.',
  'missing-setting': 'The setting {subject|wanted here} is missing.',
  'removed-setting': 'The setting {subject|used here} has been removed from this release.',
  'removed-or-unknown': 'This release does not know {subject|this setting}.',
  'more-than-one-choice':
    'The section {subject|read here} may hold only one of its names; more than one is switched on.',
  'ambiguous-setting':
    'The setting {subject|named here} is written twice in different spellings; Filebeat itself takes one of them by chance.',
  'settings-exclude': 'The setting {subject|read here} must not stand beside another one that is set.',
  'settings-conflict': 'The setting {subject|read here} must not be larger than the other size that it belongs to.',
  'bad-address': 'The setting {subject|read here} holds an address that cannot be read: write host:port or a URL.',
  // files and folders that settings name
  'named-file-missing': 'The file that {subject|a setting} names does not exist.',
  'no-certificate': 'What {subject|a setting} names is no certificate: PEM, with a line BEGIN CERTIFICATE.',
  'no-key': 'What {subject|a setting} names is no private key: PEM, with a line that begins with BEGIN.',
  'not-a-pair': 'The key that {subject|a setting} names does not belong to the certificate beside it.',
  'wrong-passphrase': 'The passphrase that {subject|a setting} gives does not open the key beside it.',
  'no-keytab': 'What {subject|a setting} names is no keytab.',
  'no-keystore': 'The file that {subject|keystore.path} names is no keystore of Filebeat.',
  'folder-blocked': 'The folder of {subject|a setting} cannot be made: a file is in its way.',
  'path-in-the-way': 'Something that is no socket is at the place of the socket that {subject|a setting} names.',
  'folder-missing': 'The folder of the socket that {subject|a setting} names does not exist.',
  'not-on-linux': 'The setting {subject|read here} asks for a named pipe, which only Windows has.',
  // the program as a whole
  'nothing-enabled': 'No input or module is enabled and no included files are configured.',
  'no-output': 'No output is defined.',
  'unknown-output': 'This release does not know {subject|this output}.',
  'managed-without-agent':
    'The file asks for management by an agent, but no agent has started it: remove the section, or set management.enabled to false.',
  'no-monitoring-reporter':
    'The section {subject|monitoring} is switched on without an Elasticsearch to report to: set its elasticsearch.hosts, or enabled to false.',
  'no-daemon': 'Autodiscover for {subject|a daemon} is set up at the start, and that daemon is not there.',
  'no-cluster':
    'Autodiscover for {subject|Kubernetes} is set up at the start, but it runs in no cluster and has no kube_config.',
  'unknown-provider': 'An autodiscover provider is unknown.',
  // inputs
  'unknown-input': 'This release does not know the type of an input.',
  'deprecated-input': 'This release refuses {subject|such} inputs unless they say allow_deprecated_use: true.',
  'inputs-and-prospectors': 'Inputs and prospectors are both configured; this release takes one of them.',
  'identical-inputs': 'Two inputs are identical.',
  'filestream-id-twice': 'Two filestream inputs have the same id, or none.',
  'stdin-not-alone': 'A stdin input has to be the only one.',
  'certificate-unusable': 'A certificate or key that {subject|an input} names is missing, or is not in PEM form.',
  'no-paths': 'An input that reads files has no paths.',
  'no-protocol': 'A syslog input needs protocol.udp or protocol.tcp.',
  'unknown-processor': 'This release does not know the processor {subject|named here}.',
  'bad-processor': 'A processor is not written as Filebeat wants it ({subject|one action each}).',
  'setting-not-allowed': 'The setting {subject|read here} is not one that this processor takes.',
  'bad-condition': 'The condition of a processor cannot be used ({subject|it is missing or unknown}).',
  // modules
  'modules-unreadable': 'The folder of the modules could not be read.',
  'unknown-module': 'The module {subject|named here} does not exist in this installation.',
  'unknown-fileset': 'The fileset {subject|named here} does not exist in this installation.',
  'no-enabled-fileset': 'The module {subject|named here} has no enabled fileset.',
  'no-module-folder': 'There is no folder {subject|of modules}; Filebeat runs without modules.',
  'module-name-missing': 'An entry of the modules lacks the name of its module.',
  'fileset-wrong-type': 'The fileset {subject|read here} is neither a section nor empty.',
  'bad-module-override': 'An override with {subject|-M} does not lead to a fileset.',
  'manifest-invalid': 'The manifest of {subject|a fileset} cannot be used.',
  'module-file-missing': 'The template that the manifest of {subject|a fileset} names does not exist.',
  'module-template-yaml': 'What the template of {subject|a fileset} gives with these variables is not valid YAML.',
  'template-failed': 'The template of {subject|a fileset} cannot be filled in with these variables.',
  'template-unsupported': 'The template of {subject|a fileset} holds something that this exporter does not understand.',
  'release-decides': 'Its release cannot be told: {subject|some would start with its files, others would not}.',
  // ourselves
  defect: 'The exporter failed over it, which is a defect of the exporter: please report it.',
  // inputs that come from elsewhere
  managed: 'An agent sends it its configuration.',
  hosted: 'Its inputs run inside {subject|another program} and come from elsewhere.',
  autodiscover: 'Autodiscover makes inputs out of what it finds at run time.',
} as const satisfies Record<string, string>;

export type FaultCode = keyof typeof sentences;

/** All codes, for tests and documentation. */
export const faultCodes: readonly string[] = Object.keys(sentences);

/** One sentence, e.g. `The variable UDP_PORT is not defined.` */
export function faultText({ code, subject, takes }: Fault): string {
  const sentence =
    (sentences as Record<string, string>)[code] ?? 'Filebeat does not accept it ({subject|no further words}).';
  const text = sentence.replace(/\{subject\|([^}]*)\}/, (_all, otherwise: string) => subject ?? otherwise);
  const remedy = takes === undefined ? '' : ` It takes ${takes}.`;
  return text.charAt(0).toUpperCase() + text.slice(1) + remedy;
}

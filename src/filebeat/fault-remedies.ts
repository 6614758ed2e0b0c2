/** What to do about a fault, in one sentence. Never contains a setting's value. */
import type { Fault } from '../model/model.js';

/** `{subject|words}`: see `faults.ts`. */
const remedies: Record<string, string> = {
  // the command line
  'unknown-flag': 'Remove {subject|the flag} from the command line, or spell it as this release does.',
  'unknown-subcommand': 'Remove the word from the command line, or move it after its flag.',
  'flag-without-value': 'Give {subject|the flag} a value.',
  'bad-flag-value': 'Set {subject|the flag} to true or false, after an equals sign.',
  'bad-override': 'Write it as KEY=VALUE, and close brackets and quotes.',
  'runs-once': 'Remove --once from the command line.',
  // files
  'file-missing': 'Create the file, or name another one.',
  'is-directory': 'Name a file.',
  'wrong-owner': 'Give it to root or to the user that runs Filebeat (chown).',
  'writable-by-others': 'Run chmod go-w on it.',
  'key-twice': 'Merge the two sections into one, or remove the earlier one.',
  'second-document': 'Move it into the first document, or into a file of its own.',
  'bad-glob': 'Close the brackets of the pattern, and do not end it with a backslash.',
  'script-missing': 'Create the script, or name another file.',
  'script-syntax':
    'Write it in ECMAScript 5: var and function; no let, const, class, arrow functions or template literals.',
  'script-throws': 'Declare the name with var, or use it only inside function process.',
  'script-no-process': 'Define function process(event) at its top level.',
  'script-no-register': 'Define function register(params) in it, or remove params.',
  // YAML
  'yaml-syntax': 'Correct the YAML: indent with spaces, close quotes and brackets.',
  'yaml-encoding': 'Save the file as UTF-8, without control characters.',
  'yaml-key': 'Quote the key.',
  'yaml-alias': 'Define the anchor before its first use, or repeat the values.',
  'yaml-merge': 'Let the merge key refer to a map.',
  'yaml-tag': 'Remove the tag.',
  // values and variables
  'bad-expansion': 'Close the ${…}, or write $$ for a dollar sign.',
  'bad-value-text': 'Quote the value of the variable, or remove the brackets from it.',
  'undefined-variable': 'Set it in the environment of the process, or give it a default: ${NAME:value}.',
  'reference-cycle': 'Rename the setting or the variable, so that it does not refer to itself.',
  'not-an-object': 'Make {subject|it} a section, or remove the settings below it.',
  'bad-index': 'Use a smaller number, or a list.',
  'wrong-type': 'Write {subject|it} as the type that it takes: string, number, boolean, list or section.',
  'bad-value': 'Give {subject|it} a value that this release accepts, or remove it.',
  'missing-setting': 'Add {subject|it}.',
  'removed-setting': 'Remove {subject|it}.',
  'removed-or-unknown': 'Remove {subject|it}.',
  'more-than-one-choice': 'Keep one of them, or disable the others with enabled: false.',
  'ambiguous-setting': 'Write {subject|it} once.',
  // the program as a whole
  'nothing-enabled': 'Enable an input or a module.',
  'no-output': 'Add an output, such as output.elasticsearch with its hosts.',
  'unknown-output': 'Use an output that this release has.',
  'managed-without-agent': 'Remove the management section; an agent sets it by itself.',
  'release-decides': 'Write it so that every release accepts it, or name the release: --filebeat-release.',
  'unknown-provider': 'Use a provider that this release has.',
  'not-a-list': 'Write {subject|it} as a list.',
  'settings-exclude': 'Remove {subject|it}, or the other setting.',
  'settings-conflict': 'Make {subject|it} smaller, or the size that limits it larger.',
  'bad-address': 'Write {subject|it} as host:port or a URL.',
  'named-file-missing': 'Create the file, or name another one.',
  'no-certificate': 'Name a file with a certificate in PEM form.',
  'no-key': 'Name a file with a private key in PEM form, and set its passphrase.',
  'not-a-pair': 'Name a certificate and the key that belongs to it.',
  'wrong-passphrase': 'Set the passphrase of the key.',
  'no-keytab': 'Name a keytab, as written by ktutil or kadmin.',
  'no-keystore': 'Create a new keystore: filebeat keystore create.',
  'folder-blocked': 'Remove the file that is in the way of {subject|the folder}.',
  'path-in-the-way': 'Remove it, or name another path.',
  'folder-missing': 'Create the folder, or name another one.',
  'not-on-linux': 'Use a value that works on Linux.',
  'no-monitoring-reporter': 'Add monitoring.elasticsearch, or disable monitoring.',
  'no-daemon': 'Start the daemon, or remove the provider.',
  'no-cluster': 'Name a kube_config, or remove the provider.',
  // inputs
  'unknown-input': 'Use a type that this release has; types are in lower case.',
  'deprecated-input': 'Use filestream instead, or set allow_deprecated_use: true.',
  'inputs-and-prospectors': 'Move the prospectors into filebeat.inputs.',
  'identical-inputs': 'Remove one of the two.',
  'filestream-id-twice': 'Give each filestream input its own id.',
  'stdin-not-alone': 'Run the stdin input in a separate Filebeat.',
  'certificate-unusable': 'Provide certificate and key as PEM files.',
  'no-paths': 'Add paths, or the intended type: without a type it is a log input.',
  'no-protocol': 'Add protocol.udp or protocol.tcp with its host.',
  'unknown-processor': 'Use a processor that this release has, or remove {subject|it}.',
  'bad-processor': 'Write one processor for each item of the list, with its settings and its condition below its name.',
  'setting-not-allowed': 'Remove {subject|it}.',
  'bad-condition':
    'Write one of equals, contains, regexp, range, has_fields, network, or, and, not, with values that it accepts.',
  // modules
  'unknown-module': 'Use a module from the module folder.',
  'unknown-fileset': 'Use a fileset of the module.',
  'no-enabled-fileset': 'Enable a fileset of {subject|the module}: FILESET: {enabled: true}.',
  'no-module-folder': 'Start Filebeat with the --path.home that contains the folder module.',
  'module-name-missing': 'Add module: NAME to the entry.',
  'fileset-wrong-type': 'Write its settings below {subject|it}, or leave it empty.',
  'bad-module-override': 'Name module, fileset and variable: -M MODULE.FILESET.var.NAME=VALUE.',
};

const fallback = 'Correct {subject|it}.';

/** Codes of faults that no edit of the configuration cures. */
const incurable = new Set(['not-a-collector', 'defect', 'managed', 'hosted', 'autodiscover', 'file-unseen']);

/** One sentence, e.g. `Remove filebeat.prospectors.`; undefined if nothing can be done. */
export function faultRemedy({ code, subject }: Fault): string | undefined {
  if (incurable.has(code)) return undefined;
  // The subject of a variable is its name, that of a condition its kind: neither can be added.
  return (remedies[code] ?? fallback).replace(
    /\{subject\|([^}]*)\}/,
    (_all, otherwise: string) => subject ?? otherwise,
  );
}

/** What to do about a fault, in one sentence. Never contains a setting's value. */
import type { Fault } from '../model/model.js';

/** `{subject|words}`: see `faults.ts`. */
const remedies: Record<string, string> = {
  // the command line
  'unknown-flag': 'Take {subject|the flag} off the command line, or spell it as this release does.',
  'unknown-subcommand': 'Take the word off the command line, or put it behind the flag that it belongs to.',
  'flag-without-value': 'Give {subject|the flag} its value.',
  'bad-flag-value': 'Write {subject|the flag} with true or false, behind an equals sign.',
  'bad-override': 'Write it as KEY=VALUE, with brackets and quotes that are closed.',
  'runs-once': 'Take --once off the command line.',
  // files
  'file-missing': 'Put the file there, or name another one.',
  'is-directory': 'Name a file.',
  'wrong-owner': 'chown it to root or to the user that runs Filebeat.',
  'writable-by-others': 'chmod go-w it.',
  'key-twice': 'Put what stands below both into one, or take the earlier one away.',
  'second-document': 'Put it into the first document, or into a file of its own.',
  'bad-glob': 'Close the brackets of the pattern, and end it with something else than a backslash.',
  'script-missing': 'Put the script there, or name another file.',
  'script-syntax':
    'Write it in ECMAScript 5: var and function, no let, const, class, arrow functions or template texts.',
  'script-throws': 'Declare the name with var, or use it inside of function process.',
  'script-no-process': 'Define function process(event) at its top level.',
  'script-no-register': 'Define function register(params) in it, or take params away.',
  // YAML
  'yaml-syntax': 'Correct the YAML there: indentation by blanks, quotes and brackets closed.',
  'yaml-encoding': 'Save the file as UTF-8, without control characters.',
  'yaml-key': 'Put the key into quotes.',
  'yaml-alias': 'Define the anchor above its first use, or write the values out.',
  'yaml-merge': 'Let the merge key refer to a map.',
  'yaml-tag': 'Take the tag away.',
  // values and variables
  'bad-expansion': 'Close the ${…}, or write $$ for a dollar sign.',
  'bad-value-text': 'Quote what the variable holds, or take the brackets out of it.',
  'undefined-variable': 'Set it in the environment of the process, or give it a default: ${NAME:value}.',
  'reference-cycle': 'Give the setting another name than the one that it refers to.',
  'not-an-object': 'Make {subject|it} a section, or take away what is set below it.',
  'bad-index': 'Use a smaller number, or a list.',
  'wrong-type': 'Write {subject|it} as the kind of value that it takes: text, number, truth value, list or section.',
  'bad-value': 'Give {subject|it} a value that this release accepts, or take it away.',
  'missing-setting': 'Add {subject|it}.',
  'removed-setting': 'Take {subject|it} away.',
  'removed-or-unknown': 'Take {subject|it} away.',
  'more-than-one-choice': 'Keep one of them, or switch the others off with enabled: false.',
  'ambiguous-setting': 'Write {subject|it} once.',
  // the program as a whole
  'nothing-enabled': 'Enable an input or a module.',
  'no-output': 'Add an output, such as output.elasticsearch with its hosts.',
  'unknown-output': 'Use an output that this release knows.',
  'managed-without-agent': 'Take management away; an agent sets it by itself.',
  'release-decides': 'Write it so that every release takes it, or say which release is meant: --filebeat-release.',
  'unknown-provider': 'Use a provider that this release knows.',
  'not-a-list': 'Write {subject|it} as a list.',
  'settings-exclude': 'Take {subject|it} away, or the setting beside it.',
  'settings-conflict': 'Make {subject|it} smaller, or the size that it belongs to larger.',
  'bad-address': 'Write {subject|it} as an address that can be read.',
  'named-file-missing': 'Put the file there, or name another one.',
  'no-certificate': 'Name a file that holds a certificate in PEM form.',
  'no-key': 'Name a file that holds a private key in PEM form, with its passphrase.',
  'not-a-pair': 'Name the certificate and the key that were made for one another.',
  'wrong-passphrase': 'Set the passphrase that the key was made with.',
  'no-keytab': 'Name a keytab, as ktutil or kadmin write it.',
  'no-keystore': 'Make the keystore anew: filebeat keystore create.',
  'folder-blocked': 'Take the file that is in the way of {subject|the folder} away.',
  'path-in-the-way': 'Take it away, or name another place.',
  'folder-missing': 'Make the folder, or name another one.',
  'not-on-linux': 'Use a value that works on Linux.',
  'no-monitoring-reporter': 'Add monitoring.elasticsearch, or switch monitoring off.',
  'no-daemon': 'Start the daemon, or take the provider away.',
  'no-cluster': 'Name a kube_config, or take the provider away.',
  // inputs
  'unknown-input': 'Use a type that this release knows; types are in lower case.',
  'deprecated-input': 'Use filestream instead, or say allow_deprecated_use: true.',
  'inputs-and-prospectors': 'Move the prospectors into filebeat.inputs.',
  'identical-inputs': 'Take one of the two away.',
  'filestream-id-twice': 'Give each filestream input an id of its own.',
  'stdin-not-alone': 'Run the stdin input in a Filebeat of its own.',
  'certificate-unusable': 'Put certificate and key there as PEM files.',
  'no-paths': 'Add paths, or the type that is meant: without one it is a log input.',
  'no-protocol': 'Add protocol.udp or protocol.tcp with its host.',
  'unknown-processor': 'Use a processor that this release knows, or take {subject|it} away.',
  'bad-processor': 'Write one name for each element of the list, with its settings and its condition below it.',
  'setting-not-allowed': 'Take {subject|it} away.',
  'bad-condition':
    'Write one of equals, contains, regexp, range, has_fields, network, or, and, not, with values that it takes.',
  // modules
  'unknown-module': 'Use a module that is in the module folder.',
  'unknown-fileset': 'Use a fileset that the module has.',
  'no-enabled-fileset': 'Enable a fileset of {subject|the module}: FILESET: {enabled: true}.',
  'no-module-folder': 'Start Filebeat with the --path.home that holds the folder module.',
  'module-name-missing': 'Add module: NAME to the entry.',
  'fileset-wrong-type': 'Write its settings below {subject|it}, or nothing.',
  'bad-module-override': 'Name module, fileset and variable: -M MODULE.FILESET.var.NAME=VALUE.',
};

const fallback = 'Correct {subject|it} there.';

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

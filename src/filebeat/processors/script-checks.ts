/**
 * The `script` processor. Filebeat compiles a script and runs its top level when it makes the processor (libbeat/
 * processors/script/javascript); what that comes to is told here as far as reading the script alone tells it.
 */
import { goGlob } from '../files/glob.js';
import { applies } from '../releases/releases.js';
import type { Complaint } from '../tree/checks.js';
import { get, toList, toText } from '../tree/read.js';
import type { Tree, Value } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';
import type { ProcessorContext } from './processors.js';
import { compileScript } from './script-syntax.js';
import { topLevelFault } from './script-top-level.js';

/** Larger scripts are taken to be right. */
const MAX_BYTES = 256 * 1024;
/** More files behind one pattern are not looked at. */
const MAX_FILES = 100;

/** `late`: found only when the first events are to go through. */
export interface ScriptFault {
  complaint: Complaint;
  late: boolean;
}

export function checkScript(tree: Tree, context: ProcessorContext): ScriptFault | undefined {
  const { scope, release } = context;
  const [source, file] = ['source', 'file'].map((key) => stated(tree, key, scope));
  const listed = listedFiles(tree, scope);
  const chosen = [source, file, listed.length > 0 ? listed : undefined].filter((one) => one !== undefined);
  if (chosen.length === 0) return { complaint: failure('missing-setting', tree.at, 'script.source'), late: false };
  if (chosen.length > 1) return { complaint: failure('more-than-one-choice', tree.at, 'script'), late: false };
  const late = source === undefined && applies('script-files-read-late', release);
  const loaded = source ? inline(source, scope) : fromFiles(file ? [file] : listed, context);
  if (!loaded) return undefined;
  if ('fault' in loaded) return { complaint: loaded, late };
  const fault = scriptFault(loaded.text, tree, scope);
  return fault === undefined ? undefined : { complaint: failure(fault, loaded.at), late };
}

function stated(tree: Tree, key: string, scope: Scope): Value | undefined {
  const found = get(tree, key, scope);
  const read = found.ok && found.value ? toText(found.value, scope) : undefined;
  return read?.ok && read.value === '' ? undefined : found.ok ? found.value : undefined;
}

function listedFiles(tree: Tree, scope: Scope): Value[] {
  const found = get(tree, 'files', scope);
  const list = found.ok && found.value ? toList(found.value, scope) : undefined;
  return list?.ok ? list.value : [];
}

type Loaded = { text: string; at: Value['at'] } | NonNullable<Complaint> | undefined;

function inline(value: Value, scope: Scope): Loaded {
  const read = toText(value, scope);
  return read.ok ? { text: read.value, at: value.at } : undefined;
}

/** All files one behind the other; undefined where something cannot be read from here, or is not worth it. */
function fromFiles(names: readonly Value[], { scope, files, configPath }: ProcessorContext): Loaded {
  const texts: string[] = [];
  let at = names[0]!.at;
  let complete = true;
  for (const name of names) {
    const stated = toText(name, scope);
    if (!stated.ok) return undefined;
    const path = stated.value.startsWith('/') ? stated.value : `${configPath}/${stated.value}`;
    let paths = [path];
    if (/[*?[\\]/.test(path)) {
      const globbed = goGlob(path, files, MAX_FILES);
      if (!globbed.ok) return failure('bad-glob', name.at, 'script.files');
      paths = globbed.paths;
      if (paths.length === 0 && names.length === 1) return failure('script-missing', name.at, 'script.files');
    }
    for (const one of paths) {
      const stat = files.stat(one);
      if (!stat.ok) {
        if (stat.gap.reason === 'missing') return failure('script-missing', name.at, 'script.file');
        complete = false;
        continue;
      }
      if (stat.value.kind === 'directory') return failure('is-directory', name.at, one);
      // The scripts of shipped modules are large, and run.
      if (!complete || /\/module\/.*\.js$/.test(one) || stat.value.size > MAX_BYTES) complete = false;
      else {
        const read = files.read(one, MAX_BYTES);
        if (!read.ok) complete = false;
        else {
          at = { file: one };
          texts.push(Buffer.from(read.value.bytes).toString('utf8'));
        }
      }
    }
  }
  return complete ? { text: texts.join(''), at } : undefined;
}

/** Code of what is wrong with a script. */
function scriptFault(text: string, tree: Tree, scope: Scope): string | undefined {
  if (text.length > MAX_BYTES) return undefined;
  const compiled = compileScript(text);
  if (!compiled.ok) return 'script-syntax';
  const params = get(tree, 'params', scope);
  const hasParams = params.ok && params.value?.kind === 'tree' && params.value.names.size > 0;
  return topLevelFault(compiled.tokens, hasParams);
}

/**
 * The `script` processor. Filebeat compiles a script and runs its top level when it makes the processor (libbeat/
 * processors/script/javascript); what that comes to is told here as far as reading the script alone tells it.
 */
import { goGlob } from '../files/glob.js';
import { refusal } from '../files/load.js';
import { unclearAt } from '../files/unread.js';
import { applies } from '../releases/releases.js';
import type { Complaint } from '../tree/checks.js';
import { get, toList, toText } from '../tree/read.js';
import type { Tree, Value } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';
import type { ProcessorContext } from './processors.js';
import { compileScript } from './script-syntax.js';
import { runsTest, topLevelFault } from './script-top-level.js';

/** Larger scripts are not read. */
const MAX_BYTES = 256 * 1024;
/** More files behind one pattern are not looked at. */
const MAX_FILES = 100;
const UNCLEAR = 'whether this script can be started cannot be told without running it';

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
  const judged = judge(loaded.text, tree, scope);
  if (judged === 'unclear') context.unclear?.(unclearAt(loaded.at, UNCLEAR));
  return judged === undefined || judged === 'unclear' ? undefined : { complaint: failure(judged, loaded.at), late };
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
function fromFiles(names: readonly Value[], context: ProcessorContext): Loaded {
  const { scope, paths } = context;
  const found: { path: string; name: Value }[] = [];
  let complete = true;
  for (const name of names) {
    const stated = toText(name, scope);
    if (!stated.ok) return undefined;
    const path = stated.value.startsWith('/') ? stated.value : `${paths.config}/${stated.value}`;
    const globbed = /[*?[\\]/.test(path) ? goGlob(path, context.files, MAX_FILES) : undefined;
    if (globbed?.ok === false) return failure('bad-glob', name.at, 'script.files');
    for (const gap of globbed?.gaps ?? []) {
      context.unclear?.(gap);
      complete = false;
    }
    found.push(...(globbed?.paths ?? [path]).map((one) => ({ path: one, name })));
  }
  if (found.length === 0) return complete ? failure('script-missing', names[0]!.at, 'script.files') : undefined;
  const texts: string[] = [];
  for (const { path, name } of found) {
    const text = scriptOf(path, name, context);
    if (text !== undefined && typeof text !== 'string') return text;
    if (text === undefined) complete = false;
    else texts.push(text);
  }
  return complete ? { text: texts.join(''), at: { file: found.at(-1)!.path } } : undefined;
}

/** The text of one script; undefined where it cannot be read from here. Owner and mode count as those of configurations do. */
function scriptOf(
  path: string,
  name: Value,
  { files, strictUid, paths }: ProcessorContext,
): string | NonNullable<Complaint> | undefined {
  const stat = files.stat(path);
  if (!stat.ok) return stat.gap.reason === 'missing' ? failure('script-missing', name.at, 'script.file') : undefined;
  const refused = refusal(stat.value, path, strictUid);
  if (refused) return { ok: false, fault: { ...refused, at: name.at } };
  // The scripts of shipped modules are large, and run.
  if (path.startsWith(`${paths.home}/module/`)) return undefined;
  const read = files.read(path, MAX_BYTES);
  return read.ok ? Buffer.from(read.value.bytes).toString('utf8') : undefined;
}

/** Code of what is wrong with a script; `unclear`: only running it would tell. */
function judge(text: string, tree: Tree, scope: Scope): string | undefined {
  if (text.length > MAX_BYTES) return 'unclear';
  const compiled = compileScript(text);
  if (!compiled.ok) return 'script-syntax';
  const params = get(tree, 'params', scope);
  const hasParams = params.ok && params.value?.kind === 'tree' && params.value.names.size > 0;
  return (
    topLevelFault(compiled.tokens, hasParams) ?? (compiled.unsure || runsTest(compiled.tokens) ? 'unclear' : undefined)
  );
}

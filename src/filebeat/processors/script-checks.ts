/**
 * The `script` processor. Filebeat compiles a script and runs its top level when it creates the processor (libbeat/
 * processors/script/javascript). This program finds the faults that are visible without running the script.
 */
import { goGlob } from '../files/glob.js';
import { permissionFault } from '../files/load.js';
import { unclearAt } from '../files/unread.js';
import { applies } from '../releases/releases.js';
import type { Complaint } from '../tree/checks.js';
import { get, readAs, readText, toList, toText } from '../tree/read.js';
import { failure, type Tree, type Value } from '../tree/tree.js';
import type { Scope } from '../tree/variables.js';
import type { ProcessorContext } from './processors.js';
import { compileScript } from './script-syntax.js';
import { runsTest, topLevelFault } from './script-top-level.js';

/** Larger scripts are not read. */
const MAX_BYTES = 256 * 1024;
/** Files that match one pattern. */
const MAX_FILES = 100;
const UNCLEAR = 'only running this script would show whether Filebeat accepts it';

/** `late`: Filebeat finds it only when the first events arrive. */
export interface ScriptFault {
  complaint: Complaint;
  late: boolean;
}

export function checkScript(tree: Tree, context: ProcessorContext): ScriptFault | undefined {
  const { scope, release } = context;
  const [source, file] = ['source', 'file'].map((key) => stated(tree, key, scope));
  const listed = readAs(tree, 'files', scope, toList) ?? [];
  const chosen = [source, file, listed.length > 0 ? listed : undefined].filter((setting) => setting !== undefined);
  if (chosen.length === 0) return { complaint: failure('missing-setting', tree.at, 'script.source'), late: false };
  if (chosen.length > 1) return { complaint: failure('more-than-one-choice', tree.at, 'script'), late: false };
  const late = source === undefined && applies('script-files-read-late', release);
  const loaded = source ? inline(source, scope) : fromFiles(file ? [file] : listed, context);
  if (!loaded) return undefined;
  if ('fault' in loaded) return { complaint: loaded, late };
  const code = judge(loaded.text, tree, scope);
  if (code === 'unclear') context.unclear?.(unclearAt(loaded.at, UNCLEAR));
  return code === undefined || code === 'unclear' ? undefined : { complaint: failure(code, loaded.at), late };
}

/** The value of a setting, unless it is absent or empty. */
function stated(tree: Tree, key: string, scope: Scope): Value | undefined {
  const found = get(tree, key, scope);
  return found.ok && readText(tree, key, scope) !== '' ? found.value : undefined;
}

type Loaded = { text: string; at: Value['at'] } | NonNullable<Complaint> | undefined;

function inline(value: Value, scope: Scope): Loaded {
  const read = toText(value, scope);
  return read.ok ? { text: read.value, at: value.at } : undefined;
}

/** All files concatenated; undefined if one of them cannot be read or need not be. */
function fromFiles(names: readonly Value[], context: ProcessorContext): Loaded {
  const { scope, paths } = context;
  const files: { path: string; name: Value }[] = [];
  let isComplete = true;
  for (const name of names) {
    const text = toText(name, scope);
    if (!text.ok) return undefined;
    const path = text.value.startsWith('/') ? text.value : `${paths.config}/${text.value}`;
    const globbed = /[*?[\\]/.test(path) ? goGlob(path, context.files, MAX_FILES) : undefined;
    if (globbed?.ok === false) return failure('bad-glob', name.at, 'script.files');
    for (const gap of globbed?.gaps ?? []) {
      context.unclear?.(gap);
      isComplete = false;
    }
    files.push(...(globbed?.paths ?? [path]).map((match) => ({ path: match, name })));
  }
  if (files.length === 0) return isComplete ? failure('script-missing', names[0]!.at, 'script.files') : undefined;
  const texts: string[] = [];
  for (const { path, name } of files) {
    const text = scriptOf(path, name, context);
    if (text !== undefined && typeof text !== 'string') return text;
    if (text === undefined) isComplete = false;
    else texts.push(text);
  }
  return isComplete ? { text: texts.join(''), at: { file: files.at(-1)!.path } } : undefined;
}

/**
 * The text of one script; undefined if it cannot be read. Filebeat checks owner and mode as for configuration files.
 */
function scriptOf(
  path: string,
  name: Value,
  { files, strictUid, paths }: ProcessorContext,
): string | NonNullable<Complaint> | undefined {
  const stat = files.stat(path);
  if (!stat.ok) return stat.gap.reason === 'missing' ? failure('script-missing', name.at, 'script.file') : undefined;
  const refused = permissionFault(stat.value, path, strictUid);
  if (refused) return { ok: false, fault: { ...refused, at: name.at } };
  // Scripts of Filebeat's own modules are large, and correct.
  if (path.startsWith(`${paths.home}/module/`)) return undefined;
  const read = files.read(path, MAX_BYTES);
  return read.ok ? Buffer.from(read.value.bytes).toString('utf8') : undefined;
}

/** The code of a script's fault; `unclear` if only running it would show whether it has one. */
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

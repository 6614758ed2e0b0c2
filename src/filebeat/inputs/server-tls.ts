/** `ssl` of listening inputs: only what decides whether they start is looked at, never a key or a certificate. */
import { posix } from 'node:path';
import type { FileView } from '../files/file-view.js';
import { type Complaint, first, isEnabled, oneOf, text, texts } from '../tree/checks.js';
import { get, toText, toTree } from '../tree/read.js';
import type { Tree } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';

const VERSIONS = new Set(['SSLv3', 'SSLv3.0', 'TLSv1', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);

/** A complaint that Filebeat makes while it reads the settings, `missing-file` for one it makes later, or nothing. */
export function checkServerTls(
  tree: Tree,
  { scope, files, cwd }: { scope: Scope; files: FileView; cwd: string },
): NonNullable<Complaint> | 'missing-file' | undefined {
  const found = get(tree, 'ssl', scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  if (!found.value) return undefined;
  const section = toTree(found.value, scope);
  if (!section.ok) return section.unresolved ? undefined : failure('wrong-type', found.value.at, 'ssl');
  const ssl = section.value;
  if (!isEnabled(ssl, scope)) return undefined;
  const complaint = first(
    () => texts(ssl, 'supported_protocols', scope, (word) => VERSIONS.has(word)),
    () => oneOf(ssl, 'verification_mode', scope, ['', 'full', 'none', 'certificate', 'strict']),
    () => oneOf(ssl, 'client_authentication', scope, ['', 'none', 'optional', 'required']),
    () => text(ssl, 'certificate', scope),
    () => text(ssl, 'key', scope),
  );
  if (complaint) return complaint;
  const [certificate, key] = [value(ssl, 'certificate', scope), value(ssl, 'key', scope)];
  if (certificate === undefined || key === undefined) return undefined;
  if (certificate === '' || key === '') {
    return failure('missing-setting', found.value.at, certificate === '' ? 'ssl.certificate' : 'ssl.key');
  }
  const paths = [certificate, key].filter((path) => !path.startsWith('-----'));
  const missing = paths.some((path) => {
    const stat = files.stat(posix.resolve(cwd, path));
    return !stat.ok && stat.gap.reason === 'missing';
  });
  return missing ? 'missing-file' : undefined;
}

/** Undefined when it cannot be known. */
function value(tree: Tree, key: string, scope: Scope): string | undefined {
  const found = get(tree, key, scope);
  if (!found.ok) return undefined;
  if (!found.value) return '';
  const read = toText(found.value, scope);
  return read.ok ? read.value : undefined;
}

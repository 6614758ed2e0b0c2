/** `ssl` of listening inputs: what decides whether they start. Of a key only its first line is read. */
import { posix } from 'node:path';
import type { FileView } from '../files/file-view.js';
import { type Complaint, isEnabled, text, texts } from '../tree/checks.js';
import { get, toList, toText, toTree } from '../tree/read.js';
import { checkSettings, exactly, type Settings, under } from '../tree/setting-tables.js';
import type { Tree } from '../tree/tree.js';
import { failure, type Scope } from '../tree/variables.js';

const VERSIONS = new Set(['SSLv3', 'SSLv3.0', 'TLSv1', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);
const CURVES = new Set(['P-256', 'P-384', 'P-521', 'X25519', 'X25519MLKEM768']);
/** As much of a file as tells that it is PEM. */
const HEAD_BYTES = 48;
const FILE_BYTES = 1 << 20;

/** The section of a server in elastic-agent-libs (transport/tlscommon/server_config.go). */
const SERVER_TLS: Settings = {
  verification_mode: exactly('', 'full', 'none', 'certificate', 'strict'),
  supported_protocols: (tree, key, scope) => texts(tree, key, scope, (word) => VERSIONS.has(word)),
  cipher_suites: (tree, key, scope) => texts(tree, key, scope, (word) => /^(?:ECDHE-|RSA-|TLS-)[A-Z0-9-]+$/.test(word)),
  certificate_authorities: texts,
  certificate: text,
  key: text,
  key_passphrase: text,
  curve_types: (tree, key, scope) => texts(tree, key, scope, (word) => CURVES.has(word)),
  client_authentication: exactly('', 'none', 'optional', 'required'),
  ca_sha256: texts,
};

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
  // Types and the pair are looked at even where TLS is switched off.
  const complaint = under('ssl', checkSettings(ssl, SERVER_TLS, scope));
  if (complaint) return complaint;
  const [certificate, key] = [value(ssl, 'certificate', scope), value(ssl, 'key', scope)];
  const enabled = isEnabled(ssl, scope);
  if (certificate === undefined || key === undefined) return undefined;
  if ((certificate === '') !== (key === '') || (enabled && certificate === '')) {
    return failure('missing-setting', found.value.at, certificate === '' ? 'ssl.certificate' : 'ssl.key');
  }
  if (!enabled) return undefined;
  const usable = (path: string, block: string) => isPem(posix.resolve(cwd, path), path, block, files);
  const right =
    usable(certificate, 'CERTIFICATE') &&
    usable(key, '') &&
    listed(ssl, 'certificate_authorities', scope).every((path) => usable(path, 'CERTIFICATE'));
  return right ? undefined : 'missing-file';
}

/** Whether a file, or the text in its place, holds PEM. Of a key no more is read than its first line. */
function isPem(path: string, stated: string, block: string, files: FileView): boolean {
  const begin = `-----BEGIN ${block}`;
  if (stated.trimStart().startsWith('-----BEGIN')) return stated.includes(begin);
  const head = files.head(path, HEAD_BYTES);
  // What cannot be read from here is taken to be right.
  if (!head.ok) return head.gap.reason !== 'missing';
  if (Buffer.from(head.value).includes('-----BEGIN')) return block === '' || certificateIn(path, begin, files);
  const content = files.read(path, FILE_BYTES);
  return !content.ok || Buffer.from(content.value.bytes).includes(begin);
}

function certificateIn(path: string, begin: string, files: FileView): boolean {
  const content = files.read(path, FILE_BYTES);
  return !content.ok || Buffer.from(content.value.bytes).includes(begin);
}

function listed(tree: Tree, key: string, scope: Scope): string[] {
  const found = get(tree, key, scope);
  const list = found.ok && found.value ? toList(found.value, scope) : undefined;
  return list?.ok
    ? list.value.flatMap((item) => [toText(item, scope)]).flatMap((one) => (one.ok ? [one.value] : []))
    : [];
}

/** Undefined when it cannot be known. */
function value(tree: Tree, key: string, scope: Scope): string | undefined {
  const found = get(tree, key, scope);
  if (!found.ok) return undefined;
  if (!found.value) return '';
  const read = toText(found.value, scope);
  return read.ok ? read.value : undefined;
}

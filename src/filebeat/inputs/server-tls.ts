/** `ssl` of inputs that listen, as far as it decides whether they start. */
import type { Reading } from '../../model/model.js';
import { holdsCertificate, keyGap, keyProblem, readPem } from '../files/pem.js';
import { type Complaint, isEnabled, text, texts } from '../tree/checks.js';
import { get, listedTexts, positionOf, readText, toTree } from '../tree/read.js';
import { checkSettings, exactly, type Settings, under } from '../tree/setting-tables.js';
import { failure, type Tree } from '../tree/tree.js';
import type { InputContext } from './input-context.js';

const VERSIONS = new Set(['SSLv3', 'SSLv3.0', 'TLSv1', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3']);
const CURVES = new Set(['P-256', 'P-384', 'P-521', 'X25519', 'X25519MLKEM768']);

/** Server settings of elastic-agent-libs (transport/tlscommon/server_config.go). */
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

/**
 * A complaint that Filebeat makes while it reads the settings; `bad-file` for a certificate or key that fails later.
 */
export function checkServerTls(tree: Tree, context: InputContext): NonNullable<Complaint> | 'bad-file' | undefined {
  const { scope, release } = context;
  const found = get(tree, 'ssl', scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  if (!found.value) return undefined;
  const section = toTree(found.value, scope);
  if (!section.ok) return section.unresolved ? undefined : failure('wrong-type', found.value.at, 'ssl');
  const ssl = section.value;
  // Filebeat checks types, and certificate and key as a pair, even if TLS is disabled.
  const complaint = under('ssl', checkSettings(ssl, SERVER_TLS, scope));
  if (complaint) return complaint;
  const [certificate, key] = [readText(ssl, 'certificate', scope), readText(ssl, 'key', scope)];
  const enabled = isEnabled(ssl, scope);
  if (certificate === undefined || key === undefined) return undefined;
  if ((certificate === '') !== (key === '') || (enabled && certificate === '')) {
    return failure('missing-setting', found.value.at, certificate === '' ? 'ssl.certificate' : 'ssl.key');
  }
  if (!enabled) return undefined;
  const certificates = [certificate, ...listedTexts(ssl, 'certificate_authorities', scope).map(({ text }) => text)];
  const [leaf, ...authorities] = certificates.map((stated) => readPem(stated, context));
  const secret = readPem(key, context);
  // A file that this program cannot read is no fault; the view of the files reports it as a gap.
  const isGood = (pem: Reading<string>) => (pem.ok ? holdsCertificate(pem.value) : pem.gap.reason !== 'missing');
  if (!isGood(leaf!) || !authorities.every(isGood)) return 'bad-file';
  if (!secret.ok) return secret.gap.reason === 'missing' ? 'bad-file' : undefined;
  const stated = readText(ssl, 'key_passphrase', scope);
  const passphrase = stated === '' && readText(ssl, 'key_passphrase_path', scope) !== '' ? undefined : stated;
  const problem = keyProblem(leaf!.ok ? leaf!.value : undefined, secret.value, passphrase, release);
  if (problem === 'unclear') context.unclear?.(keyGap(positionOf(ssl, 'key')));
  return problem === undefined || problem === 'unclear' ? undefined : 'bad-file';
}

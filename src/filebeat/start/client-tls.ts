/**
 * `ssl` of connections to servers (elastic-agent-libs transport/tlscommon). Filebeat loads the files while it reads the
 * section, so a file that is missing or no PEM stops the start, even without https addresses.
 */
import { holdsCertificate, keyGap, keyProblem, readPem } from '../files/pem.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { type Complaint, first, isEnabled, text, texts, truth } from '../tree/checks.js';
import { get, listedTexts, readText, toTree } from '../tree/read.js';
import { checkSettings, exactly, type Settings, under } from '../tree/setting-tables.js';
import { failure, type Tree, type Value } from '../tree/tree.js';
import { taking, textsThat } from './kinds.js';
import type { StartContext } from './start-context.js';

const AES = ['AES-128-CBC-SHA', 'AES-256-CBC-SHA', 'AES-128-GCM-SHA256', 'AES-256-GCM-SHA384'];
const SHARED = ['AES-128-CBC-SHA256', 'RC4-128-SHA'];
const CIPHERS = new Set([
  ...[...AES, ...SHARED, 'CHACHA20-POLY1305'].map((name) => `ECDHE-ECDSA-${name}`),
  ...[...AES, ...SHARED, 'CHACHA20-POLY1205', '3DES-CBC3-SHA'].map((name) => `ECDHE-RSA-${name}`),
  ...[...AES, ...SHARED, '3DES-CBC3-SHA'].map((name) => `RSA-${name}`),
  ...['AES-128-GCM-SHA256', 'AES-256-GCM-SHA384', 'CHACHA20-POLY1305-SHA256'].map((name) => `TLS-${name}`),
]);
const VERSIONS = ['TLSv1', 'TLSv1.0', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const CURVES = ['P-256', 'P-384', 'P-521', 'X25519', 'X25519MLKEM768'];

function clientTls(release: ReleaseVersion): Settings {
  const versions = new Set(applies('ssl3-removed', release) ? VERSIONS : [...VERSIONS, 'SSLv3', 'SSLv3.0']);
  return {
    enabled: truth,
    verification_mode: exactly('', 'full', 'strict', 'none', 'certificate'),
    supported_protocols: taking(
      `versions of TLS: ${[...versions].join(', ')}`,
      textsThat((word) => versions.has(word)),
    ),
    cipher_suites: taking(
      'names of cipher suites such as ECDHE-RSA-AES-128-GCM-SHA256',
      textsThat((word) => CIPHERS.has(word)),
    ),
    curve_types: taking(
      `names of curves: ${CURVES.join(', ')}`,
      textsThat((word) => CURVES.includes(word)),
    ),
    certificate_authorities: texts,
    certificate: text,
    key: text,
    key_passphrase: text,
    renegotiation: exactly('never', 'once', 'freely'),
    ca_sha256: texts,
    ca_trusted_fingerprint: text,
  };
}

/** Checks the `ssl` section of a section, and the files that it names. */
export function checkClientTls(tree: Tree, context: StartContext): Complaint {
  const { scope } = context;
  const found = get(tree, 'ssl', scope);
  if (!found.ok) return found.unresolved ? undefined : found;
  if (!found.value) return undefined;
  const section = toTree(found.value, scope);
  if (!section.ok) return section.unresolved ? undefined : failure('wrong-type', found.value.at, 'ssl');
  const ssl = section.value;
  return under(
    'ssl',
    first(
      () => checkSettings(ssl, clientTls(context.release), scope),
      () => checkPair(ssl, context),
      () => (isEnabled(ssl, scope) ? checkFiles(ssl, context) : undefined),
    ),
  );
}

/** Certificate and key require each other, even if TLS is disabled. */
function checkPair(ssl: Tree, { scope }: StartContext): Complaint {
  const certificate = readText(ssl, 'certificate', scope);
  const key = readText(ssl, 'key', scope);
  if (certificate === undefined || key === undefined || (certificate === '') === (key === '')) return undefined;
  return failure('missing-setting', ssl.at, certificate === '' ? 'certificate' : 'key');
}

function checkFiles(ssl: Tree, context: StartContext): Complaint {
  const { scope } = context;
  const certificates = listedTexts(ssl, 'certificate_authorities', scope);
  for (const { text: path, value } of certificates) {
    const complaint = checkCertificate(path, value, 'certificate_authorities', context);
    if (complaint) return complaint;
  }
  const [certificate] = listedTexts(ssl, 'certificate', scope);
  if (!certificate?.text) return undefined;
  return first(
    () => checkCertificate(certificate.text, certificate.value, 'certificate', context),
    () => checkKey(ssl, certificate.text, context),
  );
}

function checkCertificate(stated: string, { at }: Value, key: string, context: StartContext): Complaint {
  const pem = readPem(stated, context);
  if (!pem.ok) return pem.gap.reason === 'missing' ? failure('named-file-missing', at, key) : undefined;
  return holdsCertificate(pem.value) ? undefined : failure('no-certificate', at, key);
}

function checkKey(ssl: Tree, certificate: string, context: StartContext): Complaint {
  const { scope, release } = context;
  const [key] = listedTexts(ssl, 'key', scope);
  if (!key) return undefined;
  const { at } = key.value;
  const pem = readPem(key.text, context);
  if (!pem.ok) return pem.gap.reason === 'missing' ? failure('named-file-missing', at, 'key') : undefined;
  const stated = readText(ssl, 'key_passphrase', scope);
  const passphrase = stated === '' && readText(ssl, 'key_passphrase_path', scope) !== '' ? undefined : stated;
  const certificatePem = readPem(certificate, context);
  const problem = keyProblem(certificatePem.ok ? certificatePem.value : undefined, pem.value, passphrase, release);
  if (problem === 'no-passphrase') return failure('missing-setting', ssl.at, 'key_passphrase');
  if (problem === 'unclear') context.unclear?.(keyGap(at));
  return problem === undefined || problem === 'unclear'
    ? undefined
    : failure(problem, at, problem === 'wrong-passphrase' ? 'key_passphrase' : 'key');
}

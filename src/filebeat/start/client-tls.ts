/**
 * `ssl` of what connects to a server (elastic-agent-libs transport/tlscommon). Filebeat loads the files while it reads
 * the section, so one that is missing or no PEM stops the start, whatever the addresses say.
 */
import { posix } from 'node:path';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import { type Complaint, first, isEnabled, text, texts, truth } from '../tree/checks.js';
import { get, toTree } from '../tree/read.js';
import { checkSettings, exactly, type Settings, under } from '../tree/setting-tables.js';
import type { Tree, Value } from '../tree/tree.js';
import { failure } from '../tree/variables.js';
import { listedTexts, taking, textOf, textsThat } from './kinds.js';
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

/** Larger files are not looked into. */
const CERTIFICATE_LIMIT = 4 << 20;
/** As much of a key as tells its kind. */
const KEY_HEAD = 48;

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

/** The `ssl` section below a section, and the files that it names. */
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

/** A certificate needs its key, and the other way round, even where nothing is switched on. */
function checkPair(ssl: Tree, { scope }: StartContext): Complaint {
  const certificate = textOf(ssl, 'certificate', scope);
  const key = textOf(ssl, 'key', scope);
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
    () => checkKey(ssl, context),
  );
}

const BEGIN = '-----BEGIN ';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/;

function checkCertificate(path: string, { at }: Value, key: string, context: StartContext): Complaint {
  const inline = isPem(path);
  const content = inline ? undefined : context.files.read(posix.resolve(context.cwd, path), CERTIFICATE_LIMIT);
  if (content && !content.ok) {
    return content.gap.reason === 'missing' ? failure('named-file-missing', at, key) : undefined;
  }
  const pem = content ? Buffer.from(content.value.bytes).toString('latin1') : path;
  const body = CERTIFICATE.exec(pem)?.[1];
  // DER: a certificate is a SEQUENCE.
  return body && Buffer.from(body, 'base64')[0] === 0x30 ? undefined : failure('no-certificate', at, key);
}

/** Of a key only the first line is looked at: whether it is one, and whether it asks for a passphrase. */
function checkKey(ssl: Tree, context: StartContext): Complaint {
  const { scope, files, cwd } = context;
  const [key] = listedTexts(ssl, 'key', scope);
  if (!key) return undefined;
  const { at } = key.value;
  const path = posix.resolve(cwd, key.text);
  const head = isPem(key.text) ? undefined : files.head(path, KEY_HEAD);
  if (head && !head.ok) return head.gap.reason === 'missing' ? failure('named-file-missing', at, 'key') : undefined;
  const begins = head ? Buffer.from(head.value).toString('latin1') : key.text.trimStart();
  // Anything may stand above the first block.
  if (!begins.startsWith(BEGIN)) {
    const content = head && files.read(path, CERTIFICATE_LIMIT);
    return content?.ok && !Buffer.from(content.value.bytes).includes(BEGIN) ? failure('no-key', at, 'key') : undefined;
  }
  const encrypted = /^-----BEGIN (?:ENCRYPTED PRIVATE KEY-----|[A-Z ]+-----\s+Proc-Type)/.test(begins);
  const passphrase = ['key_passphrase', 'key_passphrase_path'].some((name) => textOf(ssl, name, scope) !== '');
  return encrypted && !passphrase ? failure('missing-setting', ssl.at, 'key_passphrase') : undefined;
}

function isPem(text: string): boolean {
  return text.trimStart().startsWith('-');
}

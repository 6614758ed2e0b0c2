/**
 * Certificates and keys in PEM form, as Go's crypto/x509 and crypto/tls accept them. A key is only compared with its
 * certificate; no output contains anything of it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { posix } from 'node:path';
import type { Gap, Position, Reading } from '../../model/model.js';
import { applies, type ReleaseVersion } from '../releases/releases.js';
import type { FileView } from './file-view.js';
import { unclearAt } from './unread.js';

/** Larger files are not read. */
const PEM_LIMIT = 1 << 20;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----\s+([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/g;
const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----/g;

/** The PEM text: the setting itself, or the file that it names. */
export function readPem(stated: string, { files, cwd }: { files: FileView; cwd: string }): Reading<string> {
  if (stated.trimStart().startsWith('-')) return { ok: true, value: stated };
  const content = files.read(posix.resolve(cwd, stated), PEM_LIMIT);
  return content.ok ? { ok: true, value: Buffer.from(content.value.bytes).toString('latin1') } : content;
}

/** True if at least one certificate is complete: its ASN.1 ends where its block ends. */
export function holdsCertificate(pem: string): boolean {
  return [...pem.matchAll(CERTIFICATE)].some(([, body = '']) => isWholeSequence(Buffer.from(body, 'base64')));
}

/** DER (X.690): tag 0x30, a length, and exactly that many bytes. */
function isWholeSequence(bytes: Buffer): boolean {
  const short = bytes[1] ?? 0;
  if (bytes[0] !== 0x30) return false;
  if (short < 0x80) return bytes.length === 2 + short;
  const count = short & 0x7f;
  if (count === 0 || count > 4 || bytes.length < 2 + count) return false;
  return bytes.length === 2 + count + bytes.readUIntBE(2, count);
}

/**
 * `no-key`: no block is a private key. `unclear`: this program cannot decide, e.g. for a kind of key that OpenSSL
 * cannot read.
 */
type KeyProblem = 'no-key' | 'no-passphrase' | 'wrong-passphrase' | 'not-a-pair' | 'unclear';

/**
 * The problem for which `tls.X509KeyPair` refuses a key: it must be a key, decrypt with its passphrase and fit the
 * certificate. `certificate` is undefined if it cannot be read, `passphrase` if it is unknown.
 */
export function keyProblem(
  certificate: string | undefined,
  key: string,
  passphrase: string | undefined,
  release: ReleaseVersion,
): KeyProblem | undefined {
  const encrypted = isEncrypted(key);
  if (encrypted && passphrase === '') return 'no-passphrase';
  if (isEncryptedPkcs8(key) && !applies('pkcs8-keys', release)) return 'no-key';
  const types = [...key.matchAll(BLOCK)].map(([, type = '']) => type);
  if (!types.some((type) => type.endsWith('PRIVATE KEY'))) return 'no-key';
  const [leaf] = certificate?.match(CERTIFICATE) ?? [];
  if (leaf === undefined) return undefined;
  // Without a passphrase OpenSSL would ask the terminal for one.
  if (encrypted && passphrase === undefined) return 'unclear';
  try {
    const secret = createPrivateKey({ key, format: 'pem', passphrase: passphrase ?? '' });
    return new X509Certificate(leaf).checkPrivateKey(secret) ? undefined : 'not-a-pair';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_OSSL_BAD_DECRYPT' ? 'wrong-passphrase' : 'unclear';
  }
}

/** PKCS#8 with a passphrase: PKCS#1 has a header line instead. */
function isEncryptedPkcs8(key: string): boolean {
  return key.includes('-----BEGIN ENCRYPTED PRIVATE KEY-----');
}

function isEncrypted(key: string): boolean {
  return isEncryptedPkcs8(key) || /-----BEGIN [A-Z ]+-----\s+Proc-Type: *4, *ENCRYPTED/.test(key);
}

/** `at`: the setting that names the key. */
export function keyGap(at: Position): Gap {
  return unclearAt(at, 'whether this key can be decrypted and fits its certificate is unknown');
}

/** Loads certificate, key and client CA → options of the TLS server, and the check of client certificates. */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { parseAddress } from '../filebeat/net/ip.js';
import type { Problem } from '../filebeat/yaml/yaml-schema.js';
import { readRegularFile } from './config/config-file.js';
import type { Pem, TlsConfig } from './config/tls-config.js';

/** Options of a TLS server, checked. */
export interface Secure {
  options: {
    cert: string;
    key: string;
    ca?: string;
    minVersion: TlsConfig['minVersion'];
    maxVersion: TlsConfig['maxVersion'];
    honorCipherOrder: boolean;
    requestCert: boolean;
    /** Always false: `admits` decides, and no unadmitted connection reaches HTTP. */
    rejectUnauthorized: false;
    /** An intermediate CA is enough to verify a client, as in Go. Node ignores it before 20.18. */
    allowPartialTrustChain: true;
    ciphers?: string;
    ecdhCurve?: string;
  };
  /** Whether a client is accepted after its handshake. */
  admits: (socket: TLSSocket) => boolean;
  /** The same for the same settings and file contents. */
  fingerprint: string;
}

export type SecureResult = { ok: true; secure: Secure } | { ok: false; problems: Problem[] };

const maxBytes = 1024 * 1024;

/** Reads and checks the files. Never throws for what a file contains. */
export function loadSecure(tls: TlsConfig): SecureResult {
  const problems: Problem[] = [];
  const complain = ({ key, line }: Pem, what: string): undefined => {
    problems.push({ key, line, what });
  };
  const read = (pem: Pem | undefined): string | undefined => {
    if (!pem) return undefined;
    if ('inline' in pem) return pem.inline;
    const content = readRegularFile(pem.path, maxBytes);
    return content.ok ? content.bytes.toString('latin1') : complain(pem, content.what);
  };
  const cert = read(tls.certificate);
  const key = read(tls.privateKey);
  const ca = read(tls.clientCa);
  const leaf = cert === undefined ? undefined : parseCertificates(cert)?.[0];
  if (cert !== undefined && !leaf) complain(tls.certificate, 'expected a PEM certificate');
  const privateKey = key === undefined ? undefined : parseKey(key);
  if (typeof privateKey === 'string') complain(tls.privateKey, privateKey);
  if (tls.clientCa && ca !== undefined && !parseCertificates(ca)) complain(tls.clientCa, 'expected PEM certificates');
  if (!leaf || typeof privateKey !== 'object' || cert === undefined || key === undefined || problems.length > 0)
    return { ok: false, problems };
  if (!leaf.checkPrivateKey(privateKey)) {
    complain(tls.privateKey, 'does not belong to the certificate');
    return { ok: false, problems };
  }
  const { minVersion, maxVersion, honorCipherOrder, ciphers, ecdhCurve, clientAuth } = tls;
  const options: Secure['options'] = {
    cert,
    key,
    minVersion,
    maxVersion,
    honorCipherOrder,
    requestCert: clientAuth !== 'NoClientCert',
    rejectUnauthorized: false,
    allowPartialTrustChain: true,
    ...(ca !== undefined && { ca }),
    ...(ciphers !== undefined && { ciphers }),
    ...(ecdhCurve !== undefined && { ecdhCurve }),
  };
  try {
    createSecureContext(options);
  } catch {
    // OpenSSL's message may quote the file. The remaining cause is a key or digest too weak for its security level.
    complain(tls.certificate, 'OpenSSL refuses certificate and key (too weak, or an unusable chain)');
    return { ok: false, problems };
  }
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([options, clientAuth, tls.allowedSans]))
    .digest('base64');
  return { ok: true, secure: { options, admits: (socket) => admits(socket, tls), fingerprint } };
}

function admits(socket: TLSSocket, { clientAuth, allowedSans }: TlsConfig): boolean {
  const certificate = socket.getPeerX509Certificate();
  const named = () => !allowedSans || (certificate ? hasAllowedName(certificate, allowedSans) : false);
  switch (clientAuth) {
    case 'NoClientCert':
    case 'RequestClientCert':
      return true;
    case 'RequireAnyClientCert':
      return certificate !== undefined;
    case 'VerifyClientCertIfGiven':
      return certificate === undefined || (socket.authorized && named());
    case 'RequireAndVerifyClientCert':
      return certificate !== undefined && socket.authorized && named();
  }
}

/** Compares with the DNS names, e-mails, URIs and IP addresses of the certificate; a wildcard matches only itself. */
function hasAllowedName(certificate: X509Certificate, allowed: readonly string[]): boolean {
  const names = subjectAltNames(certificate.subjectAltName ?? '');
  return allowed.some((name) => names.includes(parseAddress(name)?.text ?? name));
}

/** Parses Node's text, which quotes names that contain a separator as JSON: `DNS:a, URI:"b, c", IP Address:::1`. */
export function subjectAltNames(text: string): string[] {
  const names: string[] = [];
  for (const [, kind = '', value = ''] of text.matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/gy)) {
    const plain = value.startsWith('"') ? (JSON.parse(value) as string) : value;
    if (kind === 'IP Address') names.push(parseAddress(plain)?.text ?? plain);
    else if (kind === 'DNS' || kind === 'email' || kind === 'URI') names.push(plain);
  }
  return names;
}

/** Undefined: there is none, or one of them is invalid. */
function parseCertificates(pem: string): X509Certificate[] | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length > 0 ? blocks.map((block) => new X509Certificate(block)) : undefined;
  } catch {
    // Not a certificate; the caller reports it with key and line.
    return undefined;
  }
}

/** The key, or a clause that says what was expected. */
function parseKey(pem: string): KeyObject | string {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's messages differ between versions and kinds of keys.
    return pem.includes('ENCRYPTED') ? 'expected a key without a passphrase' : 'expected a PEM private key';
  }
}

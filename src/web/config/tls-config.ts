/** `tls_server_config` of the web configuration file → TlsConfig. */
import type { Field, Fields } from './fields.js';
import {
  type ClientAuth,
  cipherSuites,
  clientAuthTypes,
  curves,
  type TlsVersion,
  tls13Suites,
  tlsVersions,
} from './tls-names.js';

/** Where a PEM text comes from; `key` and `line` are for messages. */
export type Pem = { key: string; line: number } & ({ path: string } | { inline: string });

export interface TlsConfig {
  certificate: Pem;
  privateKey: Pem;
  clientCa?: Pem;
  clientAuth: ClientAuth;
  /** A verified client certificate must carry one of them. */
  allowedSans?: string[];
  minVersion: TlsVersion;
  maxVersion: TlsVersion;
  /** OpenSSL's cipher list; absent: Node's own. */
  ciphers?: string;
  honorCipherOrder: boolean;
  /** OpenSSL's group list; absent: Node's own. */
  ecdhCurve?: string;
}

const tlsKeys = [
  'cert_file',
  'key_file',
  'cert',
  'key',
  'client_auth_type',
  'client_ca_file',
  'client_ca',
  'client_allowed_sans',
  'min_version',
  'max_version',
  'cipher_suites',
  'prefer_server_cipher_suites',
  'curve_preferences',
] as const;

/**
 * Undefined without the section, or after a problem. A section that says anything needs certificate and key: the
 * toolkit serves plain HTTP when only, say, `min_version` is set.
 */
export function readTls(
  fields: Fields,
  section: Field | undefined,
  absolute: (path: string) => string,
): TlsConfig | undefined {
  const at = fields.map(section, tlsKeys);
  if (!section || at.size === 0) return undefined;
  const get = (key: (typeof tlsKeys)[number]) => at.get(key);
  const certificate = readPem(fields, get('cert_file'), get('cert'), absolute);
  const privateKey = readPem(fields, get('key_file'), get('key'), absolute);
  const clientCa = readPem(fields, get('client_ca_file'), get('client_ca'), absolute);
  const clientAuth = fields.oneOf(get('client_auth_type'), clientAuthTypes) ?? 'NoClientCert';
  const allowedSans = readNames(fields, get('client_allowed_sans'));
  const minVersion = fields.oneOf(get('min_version'), tlsVersions) ?? 'TLSv1.2';
  const maxVersion = fields.oneOf(get('max_version'), tlsVersions) ?? 'TLSv1.3';
  const ciphers = readChoices(fields, get('cipher_suites'), cipherSuites, 'cipher suites');
  const ecdhCurve = readChoices(fields, get('curve_preferences'), curves, 'curves');
  const honorCipherOrder = fields.flag(get('prefer_server_cipher_suites')) ?? true;

  if (!certificate && !get('cert_file') && !get('cert')) fields.complain(section, 'expected cert_file or cert');
  if (!privateKey && !get('key_file') && !get('key')) fields.complain(section, 'expected key_file or key');
  if (minVersion > maxVersion) fields.complain(get('max_version') ?? section, 'expected at least min_version');
  const verified = clientAuth === 'RequireAndVerifyClientCert' || clientAuth === 'VerifyClientCertIfGiven';
  const verifying = 'VerifyClientCertIfGiven or RequireAndVerifyClientCert';
  const authPlace = get('client_auth_type') ?? section;
  if (clientCa && clientAuth === 'NoClientCert')
    fields.complain(clientCa, 'expected with it a client_auth_type that asks for a certificate');
  // Go would take any certificate that a public authority signed: nobody who writes this means that.
  if (verified && !get('client_ca_file') && !get('client_ca'))
    fields.complain(authPlace, 'expected with it client_ca_file or client_ca');
  // A name in a certificate that nobody verifies proves nothing.
  if (allowedSans && !verified)
    fields.complain(get('client_allowed_sans') ?? section, `expected with it client_auth_type ${verifying}`);
  if (!certificate || !privateKey) return undefined;
  return {
    certificate,
    privateKey,
    clientAuth,
    minVersion,
    maxVersion,
    honorCipherOrder,
    ...(clientCa && { clientCa }),
    ...(allowedSans && { allowedSans }),
    ...(ciphers && { ciphers: [...new Set([...tls13Suites, ...ciphers])].join(':') }),
    ...(ecdhCurve && { ecdhCurve: ecdhCurve.join(':') }),
  };
}

function readPem(
  fields: Fields,
  file: Field | undefined,
  inline: Field | undefined,
  absolute: (path: string) => string,
): Pem | undefined {
  const path = fields.text(file, 'the name of a PEM file');
  const text = fields.text(inline, 'a PEM text');
  if (file && inline && path !== undefined && text !== undefined)
    return fields.complain(inline, `expected either this or ${file.key.split('.').at(-1)}`);
  if (file && path !== undefined) return { key: file.key, line: file.line, path: absolute(path) };
  if (inline && text !== undefined) return { key: inline.key, line: inline.line, inline: text };
  // Written down, but empty: an unset variable of whatever wrote the file.
  const blank = file ?? inline;
  if (blank?.node.kind === 'scalar' && blank.node.type === 'null') fields.complain(blank, 'expected a value');
  return undefined;
}

function readChoices(
  fields: Fields,
  field: Field | undefined,
  choices: ReadonlyMap<string, string>,
  what: string,
): string[] | undefined {
  const found = fields.list(field, what)?.map((item) => fields.oneOf(item, choices));
  const known = found?.filter((name) => name !== undefined);
  return known && known.length > 0 ? known : undefined;
}

function readNames(fields: Fields, field: Field | undefined): string[] | undefined {
  const names = fields.list(field, 'names')?.map((item) => fields.text(item, 'a DNS name, IP address, e-mail or URI'));
  if (field && names?.length === 0) return fields.complain(field, 'expected at least one name');
  return names?.filter((name) => name !== undefined);
}

/** `tls_server_config` of the web configuration file → TlsConfig. */
import {
  boolean,
  type KeyPosition,
  type Located,
  list,
  located,
  map,
  nonEmptyText,
  oneOf,
  optional,
  type ReportProblem,
} from '../../filebeat/yaml/yaml-schema.js';
import {
  type ClientAuth,
  cipherSuites,
  clientAuthTypes,
  curves,
  type TlsVersion,
  tls13Suites,
  tlsVersions,
} from './tls-names.js';

/** The source of a PEM text; `key` and `line` are for messages. */
export type Pem = { key: string; line: number } & ({ path: string } | { inline: string });

export interface TlsConfig {
  certificate: Pem;
  privateKey: Pem;
  clientCa?: Pem;
  clientAuth: ClientAuth;
  /** A verified client certificate must contain one of these names. */
  allowedSans?: string[];
  minVersion: TlsVersion;
  maxVersion: TlsVersion;
  /** OpenSSL's cipher list; absent: Node's own. */
  ciphers?: string;
  honorCipherOrder: boolean;
  /** OpenSSL's group list; absent: Node's own. */
  ecdhCurve?: string;
}

const pemFile = located(nonEmptyText('the name of a PEM file'));
const pemText = located(nonEmptyText('a PEM text'));

export const tlsSection = map({
  cert_file: pemFile,
  key_file: pemFile,
  cert: pemText,
  key: pemText,
  client_auth_type: located(oneOf(clientAuthTypes)),
  client_ca_file: pemFile,
  client_ca: pemText,
  client_allowed_sans: located(list(nonEmptyText('a DNS name, IP address, e-mail or URI'))),
  min_version: optional(oneOf(tlsVersions)),
  max_version: located(oneOf(tlsVersions)),
  cipher_suites: list(oneOf(cipherSuites)),
  prefer_server_cipher_suites: optional(boolean),
  curve_preferences: list(oneOf(curves)),
});

type TlsSection = NonNullable<ReturnType<typeof tlsSection>>;

/**
 * Returns undefined if the section is absent, empty or wrong. Also reports settings that a server would accept but that
 * protect less than the file suggests. `absolute` resolves a path relative to the configuration file.
 */
export function readTls(
  section: Located<TlsSection> | undefined,
  absolute: (path: string) => string,
  report: ReportProblem,
): TlsConfig | undefined {
  const given = section?.value;
  if (section === undefined || given === undefined || Object.keys(given).length === 0) return undefined;
  const certificate = readPem(given.cert_file, given.cert, absolute, report);
  const privateKey = readPem(given.key_file, given.key, absolute, report);
  const clientCa = readPem(given.client_ca_file, given.client_ca, absolute, report);
  const clientAuth = given.client_auth_type?.value ?? 'NoClientCert';
  const allowedSans = given.client_allowed_sans?.value;
  const minVersion = given.min_version ?? 'TLSv1.2';
  const maxVersion = given.max_version?.value ?? 'TLSv1.3';
  const { cipher_suites: ciphers = [], curve_preferences: ecdhCurve = [] } = given;

  const problem = ({ key, line }: KeyPosition, what: string) => report({ key, line, what });
  if (!given.cert_file && !given.cert) problem(section, 'expected cert_file or cert');
  if (!given.key_file && !given.key) problem(section, 'expected key_file or key');
  if (minVersion > maxVersion) problem(given.max_version ?? section, 'expected at least min_version');
  if (allowedSans?.length === 0) problem(given.client_allowed_sans!, 'expected at least one name');
  const isVerified = clientAuth === 'RequireAndVerifyClientCert' || clientAuth === 'VerifyClientCertIfGiven';
  if (clientCa && clientAuth === 'NoClientCert')
    problem(clientCa, 'expected with it a client_auth_type that asks for a certificate');
  // Without a CA, Go accepts every certificate of a public authority, which is never intended.
  if (isVerified && !given.client_ca_file && !given.client_ca)
    problem(given.client_auth_type ?? section, 'expected with it client_ca_file or client_ca');
  // A name in an unverified certificate proves nothing.
  if (allowedSans && !isVerified)
    problem(
      given.client_allowed_sans!,
      'expected with it client_auth_type VerifyClientCertIfGiven or RequireAndVerifyClientCert',
    );
  if (!certificate || !privateKey) return undefined;
  return {
    certificate,
    privateKey,
    clientAuth,
    minVersion,
    maxVersion,
    honorCipherOrder: given.prefer_server_cipher_suites ?? true,
    ...(clientCa && { clientCa }),
    ...(allowedSans && { allowedSans }),
    ...(ciphers.length > 0 && { ciphers: [...new Set([...tls13Suites, ...ciphers])].join(':') }),
    ...(ecdhCurve.length > 0 && { ecdhCurve: ecdhCurve.join(':') }),
  };
}

function readPem(
  file: Located<string> | undefined,
  inline: Located<string> | undefined,
  absolute: (path: string) => string,
  report: ReportProblem,
): Pem | undefined {
  if (file?.value !== undefined && inline?.value !== undefined) {
    report({ key: inline.key, line: inline.line, what: `expected either this or ${file.key.split('.').at(-1)}` });
    return undefined;
  }
  if (file?.value !== undefined) return { key: file.key, line: file.line, path: absolute(file.value) };
  if (inline?.value !== undefined) return { key: inline.key, line: inline.line, inline: inline.value };
  // A key without a value, as a template with an unset variable writes it.
  const empty = file ?? inline;
  if (empty?.isNull) report({ key: empty.key, line: empty.line, what: 'expected a value' });
  return undefined;
}

/**
 * The web configuration file: exporter-toolkit's schema (docs/web-configuration.md there), text → WebConfig. Stricter
 * where the toolkit would silently serve less protection than the file seems to ask for.
 */
import { dirname, resolve } from 'node:path';
import { parseYaml } from '../../filebeat/yaml/yaml.js';
import { located, map, type Problem, parsed, record } from '../../filebeat/yaml/yaml-schema.js';
import { httpSection, noticeHttp2, type RateLimit, rateSection, readRate } from './http-config.js';
import { readTls, type TlsConfig, tlsSection } from './tls-config.js';

export interface WebConfig {
  /** Absent: plain HTTP. */
  tls?: TlsConfig;
  /** Response headers, validated; they win over the application's own. */
  headers: ReadonlyMap<string, string>;
  /** User → bcrypt hash. Empty: no authentication. */
  users: ReadonlyMap<string, string>;
  rateLimit?: RateLimit;
  /** The file, or protecting sections of it, that are present and empty. */
  blank: readonly Blank[];
  /** Settings that are accepted and have no effect. */
  notices: Problem[];
}

export type Blank = 'file' | 'tls_server_config' | 'basic_auth_users';

export type WebConfigResult = { ok: true; config: WebConfig } | { ok: false; problems: Problem[] };

/** The configuration without a file. */
export const openConfig: WebConfig = { headers: new Map(), users: new Map(), blank: [], notices: [] };

/** bcryptjs needs about 70 ms at cost 10 and 4.6 s at 16; a scrape that waits longer has timed out. */
const highestCost = 16;

/** User names are not repeated in problems: a swapped pair would show the password. */
const users = record(
  parsed(`a bcrypt hash ($2a$, $2b$ or $2y$) of cost 4 to ${highestCost}`, (hash) => {
    const cost = bcryptCost(hash);
    return cost === undefined || cost < 4 || cost > highestCost ? undefined : hash;
  }),
  {
    hideKeys: true,
    checkKey: (name) => (name === '' || /[:\p{Cc}]/u.test(name) ? 'expected user names without a colon' : undefined),
  },
);

const document = map({
  tls_server_config: located(tlsSection),
  http_server_config: located(httpSection),
  basic_auth_users: located(users),
  rate_limit: located(rateSection),
});

/**
 * Parses the file's bytes; `file` is its path, to which other paths in it are relative. Never throws and reads no file.
 * All problems are returned at once.
 */
export function parseWebConfig(bytes: Uint8Array, file: string): WebConfigResult {
  const yaml = parseYaml(bytes);
  if (!yaml.ok) {
    const { code, at } = yaml.fault;
    return { ok: false, problems: [{ ...(at && { line: at.line }), what: `expected YAML (${code})` }] };
  }
  const problems: Problem[] = [];
  const notices: Problem[] = [];
  const report = (problem: Problem) => problems.push(problem);
  const top = (yaml.root && document(yaml.root, { key: '', line: yaml.root.line }, report)) ?? {};
  const folder = dirname(resolve(file));
  const tls = readTls(top.tls_server_config, (path) => resolve(folder, path), report);
  const given: Record<string, string> = top.http_server_config?.value?.headers ?? {};
  const headers = new Map(Object.entries(given));
  noticeHttp2(top.http_server_config?.value?.http2, (problem) => notices.push(problem));
  const users = new Map(Object.entries(top.basic_auth_users?.value ?? {}));
  const rateLimit = readRate(top.rate_limit, report);
  if (problems.length > 0) return { ok: false, problems };
  const blank: Blank[] = [];
  if (Object.keys(top).length === 0) blank.push('file');
  if (top.tls_server_config && !tls) blank.push('tls_server_config');
  if (top.basic_auth_users && users.size === 0) blank.push('basic_auth_users');
  const config: WebConfig = { headers, users, blank, notices };
  if (tls) config.tls = tls;
  if (rateLimit) config.rateLimit = rateLimit;
  if (top.basic_auth_users && users.size > 0 && !tls)
    notices.push({
      key: 'basic_auth_users',
      line: top.basic_auth_users.line,
      what: 'without tls_server_config passwords cross the network in the clear',
    });
  return { ok: true, config };
}

/** log2 of the rounds; undefined where it is not a bcrypt hash that bcryptjs can check. */
export function bcryptCost(hash: string): number | undefined {
  const cost = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
  return cost === undefined ? undefined : Number(cost);
}

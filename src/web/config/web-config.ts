/**
 * The web configuration file in the schema of the exporter-toolkit (its docs/web-configuration.md): text → WebConfig.
 * Stricter where the toolkit would silently protect less than the file suggests.
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

/** bcryptjs takes about 70 ms at cost 10 and 4.6 s at 16; with more, a scrape would time out. */
const maxCost = 16;

/** Problems do not repeat user names: if name and password were swapped, that would show the password. */
const users = record(
  parsed(`a bcrypt hash ($2a$, $2b$ or $2y$) of cost 4 to ${maxCost}`, (hash) => {
    const cost = bcryptCost(hash);
    return cost === undefined || cost < 4 || cost > maxCost ? undefined : hash;
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

/** Parses the file's bytes. Paths in it are relative to the folder of `file`. Never throws; returns all problems at once. */
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
      what: 'without tls_server_config, passwords cross the network unencrypted',
    });
  return { ok: true, config };
}

/** log2 of the rounds; undefined if it is not a bcrypt hash that bcryptjs can check. */
export function bcryptCost(hash: string): number | undefined {
  const cost = /^\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}$/.exec(hash)?.[1];
  return cost === undefined ? undefined : Number(cost);
}

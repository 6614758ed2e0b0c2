/** The web configuration in force. Looked at again whenever somebody asks, by the files' times; a wrong one changes nothing. */

import { loadSecure, type Secure } from '../tls.js';
import { filesSignature, readRegularFile } from './config-file.js';
import { type Problem, problemText } from './fields.js';
import { openConfig, parseWebConfig, type WebConfig } from './web-config.js';

export type Log = (level: 'debug' | 'info' | 'warn' | 'error', message: string) => void;

export interface Current {
  config: WebConfig;
  /** Same object for as long as TLS stays the same. */
  secure?: Secure;
}

const maximalBytes = 1024 * 1024;

/**
 * `file` is the path of `--web.config.file`, if given. Throws an Error in one sentence when it cannot be honoured; after
 * that the returned function never throws: a wrong file is logged once and the old configuration stays.
 */
export function watchConfig(file: string | undefined, log: Log): () => Current {
  if (file === undefined) return () => ({ config: openConfig });
  let watched = [file];
  let seen = filesSignature(watched);
  const load = (previous?: Current): Current | Problem[] => {
    watched = [file];
    const content = readRegularFile(file, maximalBytes);
    if (!content.ok) return [{ key: '', what: content.what }];
    const parsed = parseWebConfig(content.bytes, file);
    if (!parsed.ok) return parsed.problems;
    const { config } = parsed;
    const { tls } = config;
    if (!tls) return { config };
    for (const pem of [tls.certificate, tls.privateKey, tls.clientCa]) if (pem && 'path' in pem) watched.push(pem.path);
    const loaded = loadSecure(tls);
    if (!loaded.ok) return loaded.problems;
    const { secure } = loaded;
    const same = previous?.secure?.fingerprint === secure.fingerprint;
    return { config, secure: same && previous?.secure ? previous.secure : secure };
  };
  /** The signature is taken before reading: what changes meanwhile is seen next time. */
  const attempt = (previous?: Current): Current | Problem[] => {
    const before = watched;
    const signature = filesSignature(before);
    const result = load(previous);
    seen = watched.join('\0') === before.join('\0') ? signature : filesSignature(watched);
    return result;
  };
  const say = (problems: Problem[]) => problems.map((problem) => problemText(file, problem)).join('; ');
  const announce = ({ config }: Current) => {
    for (const notice of config.notices) log('warn', problemText(file, notice));
  };

  const first = attempt();
  if (Array.isArray(first)) throw new Error(say(first));
  announce(first);
  let current: Current = first;
  return () => {
    if (filesSignature(watched) === seen) return current;
    const next = attempt(current);
    if (Array.isArray(next)) log('error', `web configuration not changed: ${say(next)}`);
    else {
      current = next;
      log('info', 'web configuration read again');
      announce(next);
    }
    return current;
  };
}

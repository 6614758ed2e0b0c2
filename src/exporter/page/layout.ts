/** The frame of all pages: head, Content-Security-Policy, header, footer; and the display of text from outside. */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import type { PortVerdict, Report } from '../../model/model.js';
import { spelledOutBetweenLines } from '../../runtime/controls.js';
import { timestamp } from '../format.js';
import { cut, safe } from '../terminal/terminal.js';
import { script } from './script.js';
import { style } from './style.js';

/** A fragment of HTML, escaped by `html`. */
export type Html = ReturnType<typeof html>;

export interface PageContext {
  version: string;
  telemetryPath: string;
  /** Label and value: OS, kernel, memory. Never read during a scrape. */
  hostFacts?: readonly (readonly [string, string])[];
}

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Content-Security-Policy of the pages: only their own style and script, by hash. */
export const pagePolicy = [
  "default-src 'none'",
  `style-src ${hash(style)}`,
  `script-src ${hash(script)}`,
  'img-src data:',
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Text from outside, for display: control characters and direction marks spelled out, truncated. `html` escapes it. */
export function foreign(text: string, columns = 120): string {
  return cut(safe(text), columns);
}

/** Path of an instance's page. Replaces lone surrogates, which a URL cannot contain. */
export function instancePath(name: string): string {
  return `/instances/${encodeURIComponent(name.replace(/[\ud800-\udfff]/gu, '\ufffd'))}`;
}

/** The HTML id of a port's row on the page of its instance. */
export function portAnchor({ protocol, address, port }: Pick<PortVerdict, 'protocol' | 'address' | 'port'>): string {
  return `${protocol}-${address.slice(0, 60).replace(/[^\w.:*-]/g, '_')}-${port ?? ''}`;
}

interface Frame {
  title: string;
  report: Report;
  context: PageContext;
  body: Html;
  /** The first page; the others link to it. */
  home?: boolean;
}

/** Makes absolute links relative, so that they work behind a proxy with any path. */
function relative(page: string, home: boolean): string {
  // Quotes in text from outside are escaped, so this matches only our own markup.
  return page.replace(/ (href|action)="\//g, ` $1="${home ? './' : '../'}`);
}

export function frame({ title, report, context, body, home = false }: Frame): string {
  const { snapshot } = report;
  const page = String(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdict</a>
<header><div class="wide">
<strong>${home ? 'Filebeat ports' : html`<a href="/">Filebeat ports</a>`}</strong>
<span class="where">on ${foreign(snapshot.host.hostname, 60)}</span>
<nav aria-label="For programs"><a href="${context.telemetryPath}">Metrics</a> <a href="/api/v1/status">JSON</a></nav>
</div></header>
<main id="main" class="wide">
<p id="lost" class="lost" role="alert" hidden>The exporter does not answer. This page shows the last data received.</p>
${body}
</main>
<footer><div class="wide">
<span id="scanned" data-live>Scanned ${timestamp(snapshot.takenAt)} in ${(snapshot.durationSeconds * 1000).toFixed(1)} ms.</span>
<span id="refresh"></span>
<span>filebeat-port-exporter ${context.version}</span>
</div></footer>
<script>${raw(script)}</script>
</body>
</html>
`);
  // Covers text that did not go through `foreign`: attributes and the query.
  return spelledOutBetweenLines(relative(page, home));
}

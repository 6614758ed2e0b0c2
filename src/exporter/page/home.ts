/** `/`: the troubleshooting page. */
import { html } from 'hono/html';
import type { Report } from '../../model.js';

export interface PageContext {
  version: string;
  telemetryPath: string;
}

export const pagePolicy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

export function homePage(report: Report, _query: URLSearchParams, context: PageContext): string {
  return String(html`<!doctype html><title>filebeat-port-exporter ${context.version}</title>
${report.snapshot.instances.map((i) => html`<p><a href="/instances/${encodeURIComponent(i.name)}">${i.name}</a></p>`)}`);
}

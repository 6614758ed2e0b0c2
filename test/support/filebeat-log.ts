/** Log lines in Filebeat's formats, from given figures: text up to 7.17, ECS JSON since 8.0. */

/** Counters of a period, and gauges. Like Filebeat, omits zeros. */
export interface Period {
  in?: number;
  filtered?: number;
  acked?: number;
  dropped?: number;
  failed?: number;
  tried?: number;
  active: number;
  outputActive?: number;
  queueMax?: number;
  /** False: without the queue's size and the output's type, like releases up to 8.14 after their first line. */
  once?: boolean;
  /** `received_events_total` by id, with `device` if the line has it. */
  inputs?: Record<string, { received?: number; device?: string }>;
}

export type Form = 'text' | 'json';

/** 26 November 2026, 21:00 UTC. */
export const evening = 1_795_726_800;

function line(form: Form, at: number, level: string, message: string, fields: Record<string, unknown> = {}): string {
  const time = new Date(at * 1000).toISOString();
  if (form === 'json')
    return JSON.stringify({ 'log.level': level, '@timestamp': time, message, 'service.name': 'filebeat', ...fields });
  const json = Object.keys(fields).length === 0 ? '' : `\t${JSON.stringify(fields)}`;
  return `${time}\t${level.toUpperCase()}\t[monitoring]\tlog/log.go:184\t${message}${json}`;
}

export const said = (form: Form, at: number, message: string, fields: Record<string, unknown> = {}): string =>
  line(form, at, 'error', message, fields);

/** The tree of `/stats` and of a metrics line. */
export function metricsOf(p: Period): Record<string, unknown> {
  const some = (values: Record<string, number | undefined>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== 0));
  return {
    libbeat: {
      output: {
        events: {
          ...some({ acked: p.acked, dropped: p.dropped, failed: p.failed, total: p.tried ?? p.acked }),
          active: p.outputActive ?? 0,
        },
        ...(p.once === false ? {} : { type: 'logstash' }),
      },
      pipeline: {
        events: { ...some({ total: p.in, published: p.in, filtered: p.filtered }), active: p.active },
        ...(p.once === false ? {} : { queue: { max_events: p.queueMax ?? 3200 } }),
      },
    },
  };
}

export function metricsLine(form: Form, at: number, period: Period): string {
  const dataset = Object.fromEntries(
    Object.entries(period.inputs ?? {}).map(([id, { received, device }]) => [
      id,
      {
        id,
        input: 'udp',
        ...(device === undefined ? {} : { device }),
        ...(received === undefined ? {} : { received_events_total: received }),
      },
    ]),
  );
  const monitoring = { metrics: metricsOf(period), ...(period.inputs === undefined ? {} : { dataset }) };
  return line(form, at, 'info', 'Non-zero metrics in the last 30s', { monitoring });
}

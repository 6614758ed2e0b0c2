/** How a Filebeat's events flow, in one line. Pure. */
import type { OutputSituation, SelfReport } from '../model/model.js';
import { duration, grouped } from './figures.js';

const situations: Record<OutputSituation, string> = {
  flowing: '',
  idle: '',
  down: 'output not reached',
  refusing: 'output refuses',
  mute: 'output does not answer',
  slow: 'output too slow',
  unknown: '',
};

/** Events per second. */
export const rateText = (perSecond: number): string => {
  if (perSecond > 0 && perSecond < 0.1) return '<0.1/s';
  return `${perSecond >= 10 || Number.isInteger(perSecond) ? grouped(Math.round(perSecond)) : perSecond.toFixed(1)}/s`;
};

/** `in 100/s → queue 195 of 3,200 → out 100/s (logstash)`; undefined as long as there are no figures. */
export function flowText(report: SelfReport): string | undefined {
  if (report.active === undefined) return undefined;
  const { rates, active, queueMax, outputType, output, outputForSeconds } = report;
  const queue = `queue ${grouped(active)}${queueMax === undefined ? '' : ` of ${grouped(queueMax)}`}`;
  const parts = rates === undefined ? [queue] : [`in ${rateText(rates.in)}`, queue, `out ${rateText(rates.out)}`];
  const state = situations[output];
  const since = outputForSeconds === undefined ? '' : ` for ${duration(outputForSeconds)}`;
  return `${parts.join(' → ')}${outputType === undefined ? '' : ` (${outputType})`}${state === '' ? '' : `, ${state}${since}`}`;
}

/** The state of the event flow in a few words. Tone `odd`: not known. */
export function flowState(report: SelfReport): { tone: 'ok' | 'odd' | 'bad'; text: string } {
  const { success, at, active, output, outputForSeconds, lostRecently = 0, full } = report;
  if (!success) return { tone: 'odd', text: 'could not be read' };
  if (at === undefined) return { tone: 'odd', text: 'no figures yet' };
  if (active === undefined) return { tone: 'odd', text: 'the last figures are old' };
  const since = outputForSeconds === undefined ? '' : ` for ${duration(outputForSeconds)}`;
  const lost = lostRecently > 0 ? [`${grouped(lostRecently)} lost at the output within 5m`] : [];
  if (situations[output] !== '') return { tone: 'bad', text: [`${situations[output]}${since}`, ...lost].join(', ') };
  if (lost.length > 0) return { tone: 'bad', text: lost[0]! };
  if (full) return { tone: 'odd', text: 'queue full' };
  if (output === 'unknown') return { tone: 'odd', text: 'not known yet' };
  return { tone: 'ok', text: output };
}

/**
 * What to edit so that a Filebeat without a log file gets one. Observed: packages and containers log to stderr, and in 8.16
 * and later `to_files` alone does not create the file.
 */
export function openSource(release: string | undefined): string {
  const [major = 9, minor = 99] = (release ?? '').split('.').map(Number).filter(Number.isFinite);
  const both = major === 8 && minor >= 16;
  return both
    ? 'it writes no log file; “logging.to_files: true” with “logging.to_stderr: false” enables one'
    : 'it writes no log file; “logging.to_files: true” enables one';
}

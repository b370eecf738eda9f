import { condense } from '../../format/log-line.ts';
import { metricTexts } from '../../format/metric.ts';
import type { Style } from '../../format/style.ts';
import { clock } from '../../format/time.ts';
import type { OrphanReport } from '../../trace/trace.ts';
import { cell, line, type RenderOptions, wrap } from './text.ts';

interface OrphanLine {
  time: number;
  /** Where it was sent: a log group, a namespace, Rollbar. */
  place: string;
  level: string;
  text: string;
  style: Style;
}

const clockColumns = 23;

/** @returns what belongs to no trace in the order of time, then what could not be taken and why. */
export function renderOrphans(report: OrphanReport, options: RenderOptions): string {
  const width = Math.max(40, Math.floor(options.width));
  const { color } = options;
  const orphans = linesOf(report).sort((one, other) => one.time - other.time);
  const lines = orphans.flatMap(({ time, place, level, text, style }) => [
    line(
      [
        { text: `${cell(clock(time), clockColumns)} `, style: 'dim' },
        { text: `${cell(level, 5)} `, style },
        { text: place, style: 'dim' },
      ],
      width,
      color,
    ),
    ...wrap(text, width - 2, 3).map((part) => line([{ text: '  ' }, { text: part, style }], width, color)),
  ]);
  if (orphans.length === 0) lines.push('All that was received belongs to a trace.');
  if (report.rejections.length > 0) lines.push('', line([{ text: 'Not taken', style: 'bold' }], width, color));
  for (const { intake, reason, detail, count } of report.rejections) {
    const text = `${count} × ${intake}: ${reason}${detail ? ` (${detail})` : ''}`;
    lines.push(
      ...wrap(text, width - 2, 2).map((part) => line([{ text: '  ' }, { text: part, style: 'warning' }], width, color)),
    );
  }
  return lines.join('\n');
}

function linesOf({ logs, metrics, errors }: OrphanReport): OrphanLine[] {
  const ofLogs = logs.map((log) => ({ ...condense(log), time: log.time, place: log.logGroup }));
  return [
    ...ofLogs.filter(({ kind }) => kind !== 'metric'),
    ...metrics.map((metric) => ({
      time: metric.time,
      place: 'metric',
      level: '',
      text: metricTexts([metric]).join(''),
      style: 'plain' as const,
    })),
    ...errors.map(({ time, level, title }) => ({
      time,
      place: 'Rollbar',
      level: level.slice(0, 5).toUpperCase(),
      text: title,
      style: 'bad' as const,
    })),
  ];
}

import { END, type Table } from './machine.ts';
import type { Outcome } from './reply.ts';

/**
 * Prints a table as a Mermaid state diagram: one arrow for each pair of states, labelled with the events that lead
 * along it; an event that leads there only by one outcome carries it (`end: ok`). Events that stay are left out.
 */
export function diagram<S extends string, X, C, A extends { readonly outcome: Outcome }>(
  table: Table<S, X, C, A>,
): string {
  const labels = new Map<string, string[]>();
  for (const row of table.rows) {
    for (const state of row.in) {
      const byTarget = new Map<string, string[]>();
      for (const outcome of ['ok', 'more', 'fail'] as const) {
        const target = row[outcome];
        if (target !== undefined && target !== state) byTarget.set(target, [...(byTarget.get(target) ?? []), outcome]);
      }
      for (const [target, outcomes] of byTarget) {
        const arrow = `${state} --> ${target}`;
        const label = byTarget.size > 1 ? `${row.on} (${outcomes.join(', ')})` : row.on;
        labels.set(arrow, [...(labels.get(arrow) ?? []), label]);
      }
    }
  }
  const order = [...Object.keys(table.states), END];
  const rank = (arrow: string): number => {
    const [from = '', to = ''] = arrow.split(' --> ');
    return order.indexOf(from) * 100 + order.indexOf(to);
  };
  const arrows = [...labels].sort(([a], [b]) => rank(a) - rank(b));
  return [
    'stateDiagram-v2',
    `  ${END} --> ${table.start}`,
    ...arrows.map(([arrow, events]) => `  ${arrow}: ${events.join(', ')}`),
  ].join('\n');
}

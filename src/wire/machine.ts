import type { Outcome } from './reply.ts';

/**
 * A conversation as a table: in these states, on this event, this handler runs, and its outcome names the next state.
 *
 * The machine knows neither sockets nor protocols. An event is a word (a verb from the wire in upper case, or a signal
 * of our own in lower case, which no client can forge), its cargo is anything, and an answer is anything that has an
 * `outcome`. `compile` checks the table once, so that running it needs no checks.
 */
export interface Row<S extends string, X, C, A extends { readonly outcome: Outcome }> {
  readonly in: readonly S[];
  readonly on: string;
  readonly run: (session: X, cargo: C) => A | Promise<A>;
  /** Next state by outcome; absent: stay. Outcome `bye` always ends. */
  readonly ok?: S | typeof END;
  readonly more?: S | typeof END;
  readonly fail?: S | typeof END;
}

/** The end of a conversation, spelled as Mermaid does. */
export const END = '[*]';

/** Events that the machine's surroundings raise; lower case, so that no client can send one. */
export type Signal =
  /** The client is there. */
  | 'connect'
  /** A line of a state in which lines are no commands; the cargo is the line. */
  | 'answer'
  /** The handshake of TLS is done. */
  | 'secured'
  /** Content or chunk is complete. */
  | 'end'
  /** A verb that no row knows. */
  | 'unknown'
  /** A verb that other states know. */
  | 'misplaced'
  /** A line that is none: too long, wrong ends, forbidden octets; the cargo says which. */
  | 'badLine'
  /** Octets that are no frame; the cargo says why. */
  | 'badFrame'
  /** Content went on past every bound. */
  | 'endless'
  | 'tooManyFails'
  | 'timeout'
  /** A handler threw. */
  | 'crash'
  | 'shutdown';

export interface Table<S extends string, X, C, A extends { readonly outcome: Outcome }> {
  readonly name: string;
  readonly start: S;
  /** Every state by name; what a state carries is for its surroundings. */
  readonly states: Readonly<Record<S, unknown>>;
  readonly rows: readonly Row<S, X, C, A>[];
}

/** A checked table, ready to run. */
export interface Machine<S extends string, X, C, A extends { readonly outcome: Outcome }> {
  readonly table: Table<S, X, C, A>;
  /** The row for an event in a state, if there is one. */
  find(state: S, event: string): Row<S, X, C, A> | undefined;
  /** True if some state has a row for this event. */
  knows(event: string): boolean;
  /**
   * Runs one event. Gives undefined when the state has no row for it. What a handler throws passes through.
   * The answer comes at once unless the handler is asynchronous.
   */
  step(state: S, event: string, session: X, cargo: C): Step<S, A> | Promise<Step<S, A>> | undefined;
}

export interface Step<S extends string, A> {
  readonly answer: A;
  readonly next: S | typeof END;
}

/** A table that cannot be run; the message names the row or state and what is wrong with it. */
export class TableError extends Error {
  override readonly name = 'TableError';
  readonly code = 'TABLE_INVALID';
}

const OUTCOMES = ['ok', 'more', 'fail'] as const;

/** Where an answer leads from a state: the row's next state for its outcome, or the same state. */
export function nextState<S extends string, X, C, A extends { readonly outcome: Outcome }>(
  state: S,
  row: Row<S, X, C, A>,
  outcome: Outcome,
): S | typeof END {
  return outcome === 'bye' ? END : (row[outcome] ?? state);
}

/**
 * Checks a table and makes it ready to run.
 * @throws TableError for a missing start, an unknown state, a row that belongs nowhere, two rows for one state and
 *   event, a state that nothing leads to, or a state that cannot be left
 */
export function compile<S extends string, X, C, A extends { readonly outcome: Outcome }>(
  table: Table<S, X, C, A>,
): Machine<S, X, C, A> {
  const rowsOf = new Map<S, Map<string, Row<S, X, C, A>>>();
  for (const state of Object.keys(table.states) as S[]) rowsOf.set(state, new Map());
  const events = new Set<string>();
  const wrong = (text: string): TableError => new TableError(`${table.name}: ${text}`);

  if (!rowsOf.has(table.start)) throw wrong(`start state "${table.start}" is not among the states`);

  for (const [index, row] of table.rows.entries()) {
    const where = `row ${index + 1} (${row.in.join('|')} x ${row.on})`;
    if (row.in.length === 0) throw wrong(`${where} belongs to no state`);
    for (const outcome of OUTCOMES) {
      const target = row[outcome];
      if (target !== undefined && target !== END && !rowsOf.has(target)) {
        throw wrong(`${where} leads to unknown state "${target}" when ${outcome}`);
      }
    }
    for (const state of row.in) {
      const rows = rowsOf.get(state);
      if (!rows) throw wrong(`${where} is in unknown state "${state}"`);
      if (rows.has(row.on)) throw wrong(`${where} doubles an earlier row for state "${state}"`);
      rows.set(row.on, row);
    }
    events.add(row.on);
  }

  const reached = new Set<S>([table.start]);
  for (const state of reached) {
    const targets = [...(rowsOf.get(state)?.values() ?? [])].flatMap((row) => OUTCOMES.map((outcome) => row[outcome]));
    if (!targets.some((target) => target !== undefined && target !== state)) {
      throw wrong(`state "${state}" cannot be left: no row leads out of it`);
    }
    for (const target of targets) if (target !== undefined && target !== END) reached.add(target);
  }
  for (const state of rowsOf.keys()) {
    if (!reached.has(state)) throw wrong(`state "${state}" cannot be reached from "${table.start}"`);
  }

  return {
    table,
    find: (state, event) => rowsOf.get(state)?.get(event),
    knows: (event) => events.has(event),
    step(state, event, session, cargo) {
      const row = rowsOf.get(state)?.get(event);
      if (!row) return undefined;
      const answer = row.run(session, cargo);
      if (answer instanceof Promise) {
        return answer.then((settled) => ({ answer: settled, next: nextState(state, row, settled.outcome) }));
      }
      return { answer, next: nextState(state, row, answer.outcome) };
    },
  };
}

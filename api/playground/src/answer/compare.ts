/** Two answers to one question, side by side: one row a value. */
import type { Json } from '../api/types.ts';
import type { Note } from './notes.ts';
import { type Path, pathKey } from './reasons.ts';

export interface Side {
  /** The value as JSON; nothing where this answer has no such place. */
  readonly value: string | null;
  readonly note: Note | null;
}

export interface Row {
  readonly path: string;
  readonly left: Side;
  readonly right: Side;
  readonly differs: boolean;
}

export interface Answered {
  readonly data: Json | undefined;
  readonly notes: readonly Note[];
}

/** The values of an answer that hold nothing further, by place, in order. */
function leaves(data: Json | undefined): Map<string, string> {
  const found = new Map<string, string>();
  const walk = (value: Json, path: Path): void => {
    const inner: [string | number, Json][] =
      value === null || typeof value !== 'object' ? [] : Array.isArray(value) ? value.map((one: Json, at) => [at, one]) : Object.entries(value);
    if (inner.length === 0) found.set(pathKey(path), JSON.stringify(value));
    else for (const [name, one] of inner) walk(one, [...path, name]);
  };
  if (data !== undefined) walk(data, []);
  return found;
}

/** The places of both, in the order of the first, those of the second alone where they belong. */
function merged(left: readonly string[], right: readonly string[]): string[] {
  const rows: string[] = [];
  const known = new Set(left);
  const taken = new Set<string>();
  const take = (path: string): void => {
    if (!taken.has(path)) rows.push(path);
    taken.add(path);
  };
  const places = new Map(right.map((path, at) => [path, at]));
  let next = 0;
  for (const path of left) {
    const at = places.get(path) ?? -1;
    if (at >= next) {
      for (const own of right.slice(next, at)) if (!known.has(own)) take(own);
      next = at + 1;
    }
    take(path);
  }
  for (const own of right.slice(next)) take(own);
  return rows;
}

export function compared(left: Answered, right: Answered): Row[] {
  const values = [leaves(left.data), leaves(right.data)] as const;
  const notes = [left, right].map((answer) => new Map(answer.notes.map((note) => [pathKey(note.path), note]))) as [
    Map<string, Note>,
    Map<string, Note>,
  ];
  return merged([...values[0].keys()], [...values[1].keys()]).map((path) => {
    const side = (which: 0 | 1): Side => ({ value: values[which].get(path) ?? null, note: notes[which].get(path) ?? null });
    const [one, other] = [side(0), side(1)];
    const differs = one.value !== other.value || (one.note?.rule ?? '') !== (other.note?.rule ?? '');
    return { path, left: one, right: other, differs };
  });
}

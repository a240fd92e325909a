/** Which values of an answer are withheld, and what to say of each. */
import type { AccessEntry, Json, Rule, Text, Withheld } from '../api/types.ts';
import { type FieldsByPath, sectionOfType } from './fields.ts';
import { type Path, pathKey } from './reasons.ts';

export interface Note {
  readonly path: Path;
  /** `section.field`. */
  readonly field: string;
  readonly rule: string;
  readonly number: string;
  readonly reason: Text;
  readonly legalGround: string;
  /** Whom to ask for it. */
  readonly ask: Text | null;
}

/** The places of a pattern with `*` for every place in a list, where there is nothing to see. */
export function emptyPlaces(data: Json | undefined, pattern: string): Path[] {
  const places: Path[] = [];
  const follow = (value: Json | undefined, rest: readonly string[], path: Path): void => {
    const [step, ...further] = rest;
    if (step === undefined) {
      if (value === null) places.push(path);
    } else if (Array.isArray(value)) {
      // A star stands for each entry; without one, a list is looked through all the same.
      const inner = step === '*' ? further : rest;
      value.forEach((entry: Json, index) => follow(entry, inner, [...path, index]));
    } else if (value !== null && typeof value === 'object') {
      follow((value as Record<string, Json>)[step], further, [...path, step]);
    }
  };
  follow(data, pattern.split('.'), []);
  return places;
}

const withoutPlaces = (path: Path): string => path.filter((step) => typeof step === 'string').join('.');

/** What the sources of notes are. */
export interface Sources {
  readonly data: Json | undefined;
  readonly access: readonly AccessEntry[];
  readonly reasons: ReadonlyMap<string, readonly Withheld[]>;
  readonly fields: FieldsByPath;
  /** The rule of this name, as it stands for the role. */
  readonly ruleOf: (id: string, field: string) => Rule | undefined;
  /** What to say where no rule opens a field. */
  readonly closed: Text;
}

/**
 * The notes of an answer. Where the sections tell their reasons, each place is marked by its own. Where they do not, a
 * pattern is marked only if all of its empty places are withheld: a value that is merely missing must not be called withheld.
 */
export function notesOf(sources: Sources): Note[] {
  const notes: Note[] = [];
  for (const entry of sources.access) {
    const places = emptyPlaces(sources.data, entry.path);
    for (const path of places) {
      const note = noteAt(path, entry, places.length, sources);
      if (note) notes.push(note);
    }
  }
  return notes;
}

function noteAt(path: Path, entry: AccessEntry, places: number, sources: Sources): Note | null {
  const named = sources.fields.get(withoutPlaces(path));
  const field = named ? `${sectionOfType(named.type)}.${named.field}` : withoutPlaces(path);
  const told = sources.reasons.get(pathKey(path.slice(0, -1)));
  if (told) {
    const why = told.find((one) => one.field === named?.field && one.rule === entry.rule);
    return why ? { path, field, rule: why.rule, number: why.number, ...textsOf(why) } : null;
  }
  if (places !== entry.count) return null;
  const rule = sources.ruleOf(entry.rule, field);
  const reason = rule ? { sv: rule.sv, en: rule.en } : sources.closed;
  return { path, field, rule: entry.rule, number: '', reason, legalGround: rule?.legalGround ?? '', ask: null };
}

const textsOf = (why: Withheld): Pick<Note, 'reason' | 'legalGround' | 'ask'> => ({
  reason: { sv: why.reasonSv, en: why.reason },
  legalGround: why.legalGround,
  ask: { sv: why.askSv, en: why.ask },
});

/** How many values of an answer are withheld, whether or not each of them can be pointed at. */
export const withheldCount = (access: readonly AccessEntry[]): number => access.reduce((sum, entry) => sum + entry.count, 0);

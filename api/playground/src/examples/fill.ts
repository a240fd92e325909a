/** Steps of examples, made into questions: ids of known children, moments from now, and what earlier answers gave. */
import type { Json, KnownChild, Persona } from '../api/types.ts';
import type { Step } from './index.ts';

/** What was taken from answers: ids and versions, by name. */
export type Taken = Readonly<Record<string, string>>;

const HOUR = 3_600_000;

/** What examples point to. */
export interface World {
  readonly children: readonly KnownChild[];
  readonly personas: readonly Persona[];
}

/** `{child:everyday}`, `{agency:skola}`, `{in:6}` and `{ago:6}` in hours, `{today}`, and `{name}` of what was taken. */
export function fill(step: Step, world: World, taken: Taken, now: number): { query: string; variables: string } {
  const value = (name: string): string => {
    const [kind, rest] = name.split(':');
    if (rest === undefined && name !== 'today') return taken[name] ?? '';
    switch (kind) {
      case 'child':
        return world.children.find((child) => child.key === rest)?.id ?? '';
      case 'agency':
        return world.personas.find((persona) => persona.code === rest)?.agencyId ?? '';
      case 'in':
        return new Date(now + Number(rest) * HOUR).toISOString();
      case 'ago':
        return new Date(now - Number(rest) * HOUR).toISOString();
      case 'today':
        return new Date(now).toISOString().slice(0, 10);
      case 'day':
        return new Date(now + Number(rest) * 24 * HOUR).toISOString().slice(0, 10);
      default:
        return '';
    }
  };
  const variables = JSON.stringify(step.variables ?? {}, null, 2).replace(/\{([a-zA-Z]+(?::[^{}"]*)?)\}/g, (_, name: string) => value(name));
  return { query: step.query, variables };
}

/** What a step takes from its answer. */
export function take(step: Step, data: Json | undefined): Taken {
  const taken: Record<string, string> = {};
  for (const [name, path] of Object.entries(step.take ?? {})) {
    let at: Json | undefined = data;
    for (const key of path.split('.')) at = at !== null && typeof at === 'object' ? (at as Record<string, Json>)[key] : undefined;
    if (typeof at === 'string') taken[name] = at;
  }
  return taken;
}

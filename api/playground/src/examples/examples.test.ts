/** Every example against a hub that runs: `SAMVERKA_HUB=http://127.0.0.1:8080 npm test`. Without one they are only read. */
import { describe, expect, test } from 'vitest';
import type { Json, KnownChild, Persona } from '../api/types.ts';
import { type Taken, fill, take } from './fill.ts';
import { EXAMPLES, type Step } from './index.ts';

const hub = process.env['SAMVERKA_HUB'];
const json = { 'Content-Type': 'application/json' };

async function got<T>(path: string): Promise<T> {
  return (await (await fetch(hub + path)).json()) as T;
}

async function asked(step: Step, children: KnownChild[], personas: Persona[], taken: Taken): Promise<{ data?: Json; errors?: { extensions?: { code?: string } }[] }> {
  const body = JSON.stringify({ persona: step.persona });
  const { token } = (await (await fetch(`${hub}/sandbox/token`, { method: 'POST', headers: json, body })).json()) as { token: string };
  const filled = fill(step, { children, personas }, taken, Date.now());
  let variables = filled.variables;
  for (const child of children) variables = variables.replaceAll(`"${child.id}"`, `"${child.partnerIds[step.persona] ?? child.id}"`);
  const purpose = step.purpose ?? personas.find((one) => one.code === step.persona)?.purpose ?? '';
  const headers = { ...json, Authorization: `Bearer ${token}`, 'Samverka-Purpose': purpose };
  const question = JSON.stringify({ query: filled.query, variables: JSON.parse(variables) as unknown });
  return (await (await fetch(`${hub}/graphql`, { method: 'POST', headers, body: question })).json()) as { data?: Json };
}

test('an example has a name of its own', () => {
  const keys = EXAMPLES.map((example) => example.key);
  expect(new Set(keys).size).toBe(keys.length);
});

describe.skipIf(!hub)('every example runs', () => {
  test.each(EXAMPLES.map((example) => [example.key, example] as const))('%s', async (_, example) => {
    const [children, personas] = await Promise.all([got<KnownChild[]>('/sandbox/children'), got<Persona[]>('/sandbox/personas')]);
    let taken: Taken = {};
    for (const step of example.steps) {
      const answer = await asked(step, children, personas, taken);
      expect(answer.errors?.[0]?.extensions?.code, `${step.say.en} ${JSON.stringify(answer.errors)}`).toBe(step.refused);
      taken = { ...taken, ...take(step, answer.data) };
    }
  });
});

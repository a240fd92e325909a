/** The question in other languages. Each runs as it is pasted; the token comes from the environment. */
import { csharp } from './csharp.ts';
import { curl } from './curl.ts';
import { java } from './java.ts';
import { javascript } from './javascript.ts';
import { python } from './python.ts';

export interface Call {
  readonly address: string;
  /** All but the token. */
  readonly headers: readonly (readonly [string, string])[];
  /** The body, as JSON. */
  readonly body: string;
}

export const SNIPPETS = [
  ['curl', 'curl', curl],
  ['csharp', 'C#', csharp],
  ['java', 'Java', java],
  ['python', 'Python', python],
  ['javascript', 'JavaScript', javascript],
] as const satisfies readonly (readonly [string, string, (call: Call) => string])[];

export function callOf(
  address: string,
  headers: Readonly<Record<string, string>>,
  query: string,
  variables: unknown,
): Call {
  const kept = Object.entries(headers).filter(([name]) => name !== 'Authorization');
  return { address, headers: kept, body: JSON.stringify({ query, variables }) };
}

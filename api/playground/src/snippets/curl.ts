import type { Call } from './index.ts';

/** A word of the shell: nothing in it is expanded. */
export const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export const curl = (call: Call): string =>
  [
    `curl -sS ${shellQuoted(call.address)}`,
    `-H "Authorization: Bearer $TOKEN"`,
    ...call.headers.map(([name, value]) => `-H ${shellQuoted(`${name}: ${value}`)}`),
    `--data-raw ${shellQuoted(call.body)}`,
  ].join(' \\\n  ') + '\n';

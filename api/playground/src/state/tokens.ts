/** The tokens of this tab: in memory, by persona, and nowhere else. */
import * as http from '../api/http.ts';
import type { Claims, IssuedToken } from '../api/types.ts';

export interface Held {
  readonly token: string;
  readonly claims: Claims;
  /** By the clock of this machine, in milliseconds; none where nobody can tell. */
  readonly endsAt: number | null;
}

const held = new Map<string, Held>();

function hold(persona: string, issued: IssuedToken): Held {
  const one = { token: issued.token, claims: issued.claims, endsAt: Date.now() + issued.expiresIn * 1000 };
  held.set(persona, one);
  return one;
}

/** The persona's token, fetched where there is none. One that has run out is not replaced unasked: the page shows what the hub then says. */
export async function tokenOf(persona: string): Promise<Held> {
  return held.get(persona) ?? hold(persona, await http.issue(persona));
}

/** A token that has life left, for what the page asks by itself. */
export async function freshTokenOf(persona: string): Promise<Held> {
  const one = held.get(persona);
  const isFresh = one !== undefined && (one.endsAt === null || one.endsAt > Date.now() + 5_000);
  return isFresh ? one : renew(persona);
}

export async function renew(persona: string): Promise<Held> {
  return hold(persona, await http.issue(persona));
}

/** A token that its owner has pasted: what it claims is read for display, and judged by the hub alone. */
export function adopt(persona: string, token: string): Held {
  const claims = claimsOf(token);
  const one = { token, claims, endsAt: typeof claims.exp === 'number' ? claims.exp * 1000 : null };
  held.set(persona, one);
  return one;
}

export const forgetTokens = (): void => held.clear();

function claimsOf(token: string): Claims {
  try {
    const [, middle = ''] = token.split('.');
    const bytes = Uint8Array.from(atob(middle.replaceAll('-', '+').replaceAll('_', '/')), (one) => one.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? (claims as Claims) : {};
  } catch {
    return {};
  }
}

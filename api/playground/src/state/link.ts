/** A link that holds a question and who asks it, never a token. It is a fragment, which no browser sends to a server. */

export interface Shared {
  readonly persona: string;
  readonly purpose: string;
  readonly query: string;
  readonly variables: string;
}

const PREFIX = '#/ask?q=';

export function toFragment(shared: Shared): string {
  const bytes = new TextEncoder().encode(JSON.stringify(shared));
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return PREFIX + btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** What a fragment holds; nothing where it is not one of ours, whole and sound. */
export function fromFragment(fragment: string): Shared | null {
  if (!fragment.startsWith(PREFIX)) return null;
  try {
    const binary = atob(fragment.slice(PREFIX.length).replaceAll('-', '+').replaceAll('_', '/'));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return isShared(value) ? value : null;
  } catch {
    return null;
  }
}

function isShared(value: unknown): value is Shared {
  if (typeof value !== 'object' || value === null) return false;
  const held = value as Record<string, unknown>;
  return ['persona', 'purpose', 'query', 'variables'].every((name) => typeof held[name] === 'string');
}

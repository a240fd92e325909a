/** How the page asks the hub: always its own origin, never a cookie, tokens in one header and nowhere else. */
import type { Body, Config, IssuedToken, KnownChild, Persona, StoryTitle, Turn, WholeLog } from './types.ts';

/** The hub could not be reached, or answered what is no answer of its own. */
export class Unreachable extends Error {}

/** The hub answered with a status that is not success; its body says why. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly body: Body,
  ) {
    super(`refused with ${status}`);
  }
}

/** What a question carries besides its document. */
export interface Headers {
  readonly token: string;
  readonly purpose: string;
  readonly caseNumber: string;
  readonly user: string;
}

/** A document with its variables. */
export interface Question {
  readonly query: string;
  readonly variables: Record<string, unknown>;
  readonly operationName?: string | undefined;
}

/** What came back, whatever it was. */
export interface Reply {
  readonly status: number;
  readonly body: Body;
  readonly requestId: string | null;
  /** Lane, place and hash of the row in the access log. */
  readonly receipt: string | null;
  readonly milliseconds: number;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: 'omit', cache: 'no-cache', ...init });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Unreachable();
  }
}

async function json<T>(response: Response): Promise<T> {
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Unreachable();
  }
}

async function got<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await reach(path, init);
  const body = await json<T>(response);
  if (!response.ok) throw new Refusal(response.status, body as Body);
  return body;
}

const posted = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
});

export const config = (): Promise<Config> => got('/playground/config.json');
export const personas = (): Promise<Persona[]> => got('/sandbox/personas');
export const children = (): Promise<KnownChild[]> => got('/sandbox/children');
export const wholeLog = (): Promise<WholeLog> => got('/sandbox/ledger');
export const stories = (): Promise<StoryTitle[]> => got('/sandbox/stories');
export const story = (name: string, signal: AbortSignal): Promise<Turn[]> =>
  got(`/sandbox/stories/${encodeURIComponent(name)}`, { signal });
export const introspection = (): Promise<Body> => got('/schema.json');
export const issue = (persona: string): Promise<IssuedToken> => got('/sandbox/token', posted({ persona }));

/** Puts every made-up child back. */
export async function reset(): Promise<void> {
  const response = await reach('/sandbox/reset', posted({}));
  if (!response.ok) throw new Refusal(response.status, await json<Body>(response));
}

/** The headers of a question, as they go over the wire; those without a value stay away. */
export function headersOf(headers: Headers): Record<string, string> {
  const all: Record<string, string> = { Authorization: `Bearer ${headers.token}`, 'Content-Type': 'application/json' };
  const optional = { 'Samverka-Purpose': headers.purpose, 'Samverka-Case': headers.caseNumber, 'Samverka-User': headers.user };
  for (const [name, value] of Object.entries(optional)) {
    if (value.trim() !== '') all[name] = value.trim();
  }
  return all;
}

/** Asks a question. A refusal by the hub is an answer like any other. */
export async function ask(address: string, headers: Headers, question: Question, signal: AbortSignal): Promise<Reply> {
  const began = performance.now();
  const response = await reach(address, {
    method: 'POST',
    headers: { ...headersOf(headers), Accept: 'application/json' },
    body: JSON.stringify(question),
    signal,
  });
  const body = await json<Body>(response);
  return {
    status: response.status,
    body,
    requestId: response.headers.get('x-request-id'),
    receipt: response.headers.get('audit-receipt'),
    milliseconds: Math.round(performance.now() - began),
  };
}

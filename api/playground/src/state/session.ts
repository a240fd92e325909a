/** What the page knows, and everything that a person can do with it. */
import { type GraphQLSchema, buildClientSchema, getIntrospectionQuery, getOperationAST, parse, validate } from 'graphql';
import * as http from '../api/http.ts';
import type { AccessEntry, Body, Claims, Config, ErrorEntry, FieldRules, Json, KnownChild, Language, Persona, Purpose, Text } from '../api/types.ts';
import { fieldsByPath } from '../answer/fields.ts';
import { type Note, notesOf } from '../answer/notes.ts';
import { takeReasons, withReasons } from '../answer/reasons.ts';
import { FIRST, type Example } from '../examples/index.ts';
import { type Taken, fill, take } from '../examples/fill.ts';
import { type RuleBook, ruleBook } from '../rules/standing.ts';
import { type Key, TEXTS } from '../texts.ts';
import { fromFragment } from './link.ts';
import { rememberLanguage, rememberPersona, rememberedLanguage, rememberedPersona } from './remember.ts';
import { Store } from './store.ts';
import * as tokens from './tokens.ts';

export const VIEWS = ['ask', 'rules', 'story', 'ledger', 'guide'] as const;
export type View = (typeof VIEWS)[number];

/** An answer with everything that is to be said of it. */
export interface Answer {
  readonly persona: string;
  /** The question as it was written, to tell when the answer is of an earlier one. */
  readonly asked: string;
  readonly status: number;
  readonly body: Body;
  readonly data: Json | undefined;
  readonly notes: readonly Note[];
  readonly access: readonly AccessEntry[];
  readonly requestId: string | null;
  readonly receipt: string | null;
  readonly milliseconds: number;
}

/** A row of the access log that the hub has promised for an answer of this tab. */
export interface Receipt {
  readonly persona: string;
  readonly place: string;
  readonly hash: string;
}

/** What was asked in this tab. Never what was answered. */
export interface Asked {
  readonly persona: string;
  readonly purpose: string;
  readonly query: string;
  readonly variables: string;
  readonly at: number;
}

export interface State {
  readonly language: Language;
  readonly view: View;
  readonly phase: 'starting' | 'ready' | 'unreachable';
  readonly config: Config | null;
  readonly personas: readonly Persona[];
  readonly children: readonly KnownChild[];
  readonly schema: GraphQLSchema | null;
  readonly persona: string;
  readonly purpose: string;
  readonly caseNumber: string;
  readonly user: string;
  readonly compareWith: string;
  readonly query: string;
  readonly variables: string;
  /** Raised when the text of an editor is replaced from outside, and not by typing. */
  readonly written: number;
  readonly answer: Answer | null;
  readonly comparison: Answer | null;
  readonly running: boolean;
  readonly trouble: 'unreachable' | 'variables' | null;
  readonly claims: Claims | null;
  readonly tokenEndsAt: number | null;
  readonly hasToken: boolean;
  readonly rules: Readonly<Record<string, RuleBook>>;
  readonly errors: readonly ErrorEntry[];
  readonly asked: readonly Asked[];
  readonly receipts: readonly Receipt[];
  readonly example: { readonly of: Example; readonly step: number; readonly taken: Taken } | null;
  readonly announced: string;
}

/** The persona of those who bring a token of their own. */
export const OWN = 'own';

const link = fromFragment(location.hash);

export const session = new Store<State>({
  language: rememberedLanguage(),
  view: viewOf(location.hash),
  phase: 'starting',
  config: null,
  personas: [],
  children: [],
  schema: null,
  persona: link?.persona ?? rememberedPersona() ?? FIRST.steps[0].persona,
  purpose: link?.purpose ?? '',
  caseNumber: '',
  user: '',
  compareWith: '',
  query: link?.query ?? '',
  variables: link?.variables ?? '{}',
  written: 0,
  answer: null,
  comparison: null,
  running: false,
  trouble: null,
  claims: null,
  tokenEndsAt: null,
  hasToken: false,
  rules: {},
  errors: [],
  asked: [],
  receipts: [],
  example: null,
  announced: '',
});

export function viewOf(fragment: string): View {
  const name = /^#\/([a-z]+)/.exec(fragment)?.[1];
  return VIEWS.find((view) => view === name) ?? 'ask';
}

export const text = (key: Key): string => TEXTS[session.get().language][key];

export const personaOf = (code: string): Persona | undefined => session.get().personas.find((one) => one.code === code);

/** The agency and what it does, or the caller's own. */
export const nameOfPersona = (code: string): string => personaOf(code)?.agencyShort ?? text('ownToken');

export const roleOf = (code: string): string => {
  const role = personaOf(code)?.role ?? session.get().claims?.role;
  return typeof role === 'string' ? role : '';
};

/** Says something to those who listen to the page. */
export const announce = (message: string): void => session.set({ announced: message });

// ---- the start

let waiting: ReturnType<typeof setTimeout> | undefined;

/** Reads what the page needs; where the hub is not there, tries again until it is. */
export async function start(): Promise<void> {
  clearTimeout(waiting);
  try {
    const config = session.get().config ?? (await http.config());
    session.set({ config });
    if (config.sandbox) await startSandbox();
    else session.set({ persona: OWN });
    session.set({ phase: 'ready' });
    if (config.sandbox) await enter();
  } catch (error) {
    if (!(error instanceof http.Unreachable || error instanceof http.Refusal)) throw error;
    session.set({ phase: 'unreachable' });
    waiting = setTimeout(() => void start(), 5_000);
  }
}

async function startSandbox(): Promise<void> {
  const [personas, children, introspected] = await Promise.all([http.personas(), http.children(), http.introspection()]);
  const state = session.get();
  const persona = personas.find((one) => one.code === state.persona) ?? personas[0];
  if (!persona) throw new http.Unreachable();
  const purpose = persona.purposes.find((one) => one.code === state.purpose)?.code ?? persona.purpose;
  session.set({ personas, children, schema: schemaOf(introspected), persona: persona.code, purpose });
  if (state.query === '') {
    const filled = fill(FIRST.steps[0], { children, personas }, {}, Date.now());
    session.set({ query: filled.query, variables: childrenFor(filled.variables, persona.code), written: state.written + 1 });
  }
}

const schemaOf = (body: Body): GraphQLSchema => buildClientSchema(body.data as never, { assumeValid: true });

// ---- who asks

let epoch = 0;
let underWay: AbortController | null = null;

/** Takes every value of an answer off the page, and lets no late one come. */
function empty(): void {
  epoch += 1;
  underWay?.abort();
  underWay = null;
  session.set({ answer: null, comparison: null, running: false, trouble: null });
}

/** The persona is there: its token, and the rules of its role. */
async function enter(): Promise<void> {
  const { persona } = session.get();
  const now = epoch;
  const held = await tokens.tokenOf(persona);
  if (now !== epoch) return;
  show(held);
  await Promise.all([loadRules(roleOf(persona)), loadErrors()]);
}

const show = (held: tokens.Held | null): void =>
  session.set({ claims: held?.claims ?? null, tokenEndsAt: held?.endsAt ?? null, hasToken: held !== null });

/** Somebody else asks. What the one before was shown goes first; then the same is asked anew, unless it changes something. */
export async function become(code: string): Promise<void> {
  const before = session.get();
  if (code === before.persona) return;
  const wasAnswered = before.answer !== null || before.running;
  empty();
  const persona = personaOf(code);
  if (!persona) return;
  const variables = childrenFor(before.variables, code);
  const compareWith = before.compareWith === code ? '' : before.compareWith;
  session.set({ persona: code, purpose: persona.purpose, compareWith, variables, written: before.written + 1 });
  show(null);
  rememberPersona(code);
  const now = epoch;
  await attempt(enter);
  if (now === epoch && wasAnswered && readsOnly(before.query)) await run();
}

/** Ids of known children as this persona knows them. */
export function childrenFor(variables: string, code: string): string {
  let text = variables;
  for (const child of session.get().children) {
    const own = child.partnerIds[code] ?? child.id;
    for (const id of [child.id, ...Object.values(child.partnerIds)]) text = text.replaceAll(`"${id}"`, `"${own}"`);
  }
  return text;
}

export function compareWith(code: string): void {
  const { answer, query } = session.get();
  session.set({ compareWith: code, comparison: null });
  if (code !== '' && answer !== null && readsOnly(query)) void run();
}

export async function renewToken(): Promise<void> {
  const { persona } = session.get();
  const now = epoch;
  await attempt(async () => {
    const held = await tokens.renew(persona);
    if (now === epoch) show(held);
  });
}

/** A token of one's own, where the hub gives none. It is kept in memory alone. */
export async function useOwnToken(token: string): Promise<void> {
  empty();
  show(tokens.adopt(OWN, token.trim()));
  await attempt(async () => {
    const reply = await put({ query: getIntrospectionQuery(), variables: {} }, OWN);
    if (reply.body.data) session.set({ schema: schemaOf(reply.body) });
    await Promise.all([loadRules(roleOf(OWN)), loadErrors(), loadPurposes()]);
    if (session.get().query === '') session.set({ query: '{\n  me { role agency { name } purposes }\n}\n', written: session.get().written + 1 });
  });
}

export function forgetOwnToken(): void {
  empty();
  tokens.forgetTokens();
  show(null);
  ownPurposes = [];
}

/** The purposes that may be stated. */
export const purposesOf = (code: string): readonly Purpose[] => personaOf(code)?.purposes ?? ownPurposes;

let ownPurposes: readonly Purpose[] = [];

async function loadPurposes(): Promise<void> {
  const reply = await put({ query: '{ me { purposes } }', variables: {} }, OWN);
  const me = (reply.body.data as { me?: { purposes?: readonly string[] } } | undefined)?.me;
  ownPurposes = (me?.purposes ?? []).map((code) => ({ code, name: { sv: code, en: code } }));
  const [first] = ownPurposes;
  if (first) session.set({ purpose: first.code });
}

/** Runs what asks the hub; where that cannot be reached, the page says so. */
async function attempt(what: () => Promise<void>): Promise<void> {
  try {
    await what();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return;
    if (!(error instanceof http.Unreachable || error instanceof http.Refusal)) throw error;
    session.set({ trouble: 'unreachable', running: false });
  }
}

// ---- the tables of the hub

/** Asks by itself, for what holds no child: with a token that has life left, and without a purpose. */
async function put(question: http.Question, persona: string, purpose = ''): Promise<http.Reply> {
  const { config } = session.get();
  const held = config?.sandbox ? await tokens.freshTokenOf(persona) : await tokens.tokenOf(persona);
  const headers = { token: held.token, purpose, caseNumber: '', user: '' };
  return http.ask(config?.graphql ?? '/graphql', headers, question, new AbortController().signal);
}

const FIELD_RULES = 'field number group rules { id effect verbs legalGround sv en }';

/** The rules of a role, once. */
export async function loadRules(role: string): Promise<void> {
  if (role === '' || session.get().rules[role]) return;
  const query = `query Rules($role: Role!) { fieldRules(role: $role) { ${FIELD_RULES} } }`;
  const reply = await put({ query, variables: { role } }, session.get().persona);
  const told = (reply.body.data as { fieldRules?: FieldRules[] } | undefined)?.fieldRules;
  if (told) session.set({ rules: { ...session.get().rules, [role]: ruleBook(told) } });
}

/** The roles of the schema that a persona can have, and the rules of all of them. */
export async function loadAllRules(): Promise<void> {
  await attempt(async () => {
    for (const role of rolesOf()) await loadRules(role);
  });
}

export function rolesOf(): string[] {
  const type = session.get().schema?.getType('Role');
  return type && 'getValues' in type ? type.getValues().map((value) => value.name) : [];
}

export async function loadErrors(): Promise<void> {
  if (session.get().errors.length > 0) return;
  const reply = await put({ query: '{ errorCatalog { code status en sv remedy remedySv } }', variables: {} }, session.get().persona);
  const told = (reply.body.data as { errorCatalog?: ErrorEntry[] } | undefined)?.errorCatalog;
  if (told) session.set({ errors: told });
}

/** Asks as another persona of the sandbox, for the view of the log. */
export const askAs = (persona: string, purpose: string, question: http.Question): Promise<http.Reply> => put(question, persona, purpose);

/** Keeps the promise of a row in the log. */
export function keep(persona: string, reply: http.Reply): void {
  const at = reply.receipt?.lastIndexOf('/') ?? -1;
  if (!reply.receipt || at < 0) return;
  const receipt = { persona, place: reply.receipt.slice(0, at), hash: reply.receipt.slice(at + 1) };
  session.set({ receipts: [...session.get().receipts, receipt] });
}

// ---- asking

/** Whether a document changes nothing. What cannot be read is left to its writer. */
function readsOnly(query: string): boolean {
  try {
    return parse(query).definitions.every((one) => one.kind !== 'OperationDefinition' || one.operation === 'query');
  } catch {
    return false;
  }
}

export function write(query: string): void {
  session.set({ query });
}

export function writeVariables(variables: string): void {
  session.set({ variables });
}

/** Puts a question into the editors. */
export function place(query: string, variables: string): void {
  session.set({ query, variables, written: session.get().written + 1 });
}

function readVariables(variables: string): Record<string, unknown> | null {
  if (variables.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(variables);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** Asks what stands in the editors, as the chosen persona, and as the other where two are compared. */
export async function run(): Promise<void> {
  const { persona, compareWith: other, query, variables } = session.get();
  const values = readVariables(variables);
  empty();
  if (values === null) {
    session.set({ trouble: 'variables' });
    return;
  }
  const now = epoch;
  const control = new AbortController();
  underWay = control;
  session.set({ running: true });
  remember();
  try {
    const answer = await answered(persona, query, values, control.signal);
    if (now !== epoch) return;
    session.set({ answer });
    // A change is made once: comparing would make it twice.
    if (other !== '' && readsOnly(query)) {
      const translated = readVariables(childrenFor(variables, other)) ?? {};
      const comparison = await answered(other, query, translated, control.signal);
      if (now !== epoch) return;
      session.set({ comparison });
    }
    session.set({ running: false });
    advance(answer);
  } catch (error) {
    if (now !== epoch) return;
    if (error instanceof DOMException && error.name === 'AbortError') return;
    if (!(error instanceof http.Unreachable || error instanceof http.Refusal)) throw error;
    session.set({ running: false, trouble: 'unreachable' });
    waiting = setTimeout(() => void retry(now), 5_000);
  }
}

/** Asks again what could not be asked, if nothing else has happened since. */
async function retry(since: number): Promise<void> {
  const { trouble, query } = session.get();
  if (since === epoch && trouble === 'unreachable' && readsOnly(query)) await run();
}

export const stop = (): void => empty();

async function answered(persona: string, query: string, variables: Record<string, unknown>, signal: AbortSignal): Promise<Answer> {
  const { config, schema, caseNumber, user } = session.get();
  const purpose = persona === session.get().persona ? session.get().purpose : (personaOf(persona)?.purpose ?? '');
  const held = await tokens.tokenOf(persona);
  if (persona === session.get().persona) show(held);
  const headers = { token: held.token, purpose, caseNumber, user };
  const address = config?.graphql ?? '/graphql';
  const prepared = prepare(query, schema);
  let reply = await http.ask(address, headers, { query: prepared.query, variables, operationName: prepared.name }, signal);
  if (prepared.query !== query && isTooMuch(reply.body)) {
    // With the reasons the question was too large; without them it may not be.
    reply = await http.ask(address, headers, { query, variables, operationName: prepared.name }, signal);
  }
  keep(persona, reply);
  const { data, reasons } = takeReasons(reply.body.data);
  const access = reply.body.extensions?.access ?? [];
  const book = session.get().rules[roleOf(persona)];
  const notes = notesOf({
    data,
    access,
    reasons,
    fields: prepared.fields,
    ruleOf: (id, field) => book?.get(field)?.rules.find((rule) => rule.id === id),
    closed: both('noRuleOpens'),
  });
  const { status, body, requestId, receipt, milliseconds } = reply;
  return { persona, asked: query, status, body, data, notes, access, requestId, receipt, milliseconds };
}

const both = (key: Key): Text => ({ sv: TEXTS.sv[key], en: TEXTS.en[key] });

const isTooMuch = (body: Body): boolean => body.errors?.some((error) => error.extensions?.code === 'QUERY_REFUSED') ?? false;

/** The question as it is sent. What is wrong with a document is for the hub to say, of the text as it was written. */
function prepare(query: string, schema: GraphQLSchema | null): { query: string; name: string | undefined; fields: ReturnType<typeof fieldsByPath> } {
  const nothing = { query, name: undefined, fields: new Map() };
  if (!schema) return nothing;
  try {
    const document = parse(query);
    const operation = document.definitions.find((one) => one.kind === 'OperationDefinition');
    const name = operation?.kind === 'OperationDefinition' ? operation.name?.value : undefined;
    if (!getOperationAST(document, name) || validate(schema, document).length > 0) return { ...nothing, name };
    return { query: withReasons(document, schema), name, fields: fieldsByPath(document, schema) };
  } catch {
    return nothing;
  }
}

function remember(): void {
  const { asked, persona, purpose, query, variables } = session.get();
  const [latest] = asked;
  if (latest && latest.query === query && latest.variables === variables && latest.persona === persona) return;
  session.set({ asked: [{ persona, purpose, query, variables, at: Date.now() }, ...asked].slice(0, 20) });
}

// ---- examples

/** Begins an example, at its first step. */
export async function begin(example: Example): Promise<void> {
  await go(example, 0, {});
}

/** The next step, with what was taken from the answers before. */
export async function next(): Promise<void> {
  const { example } = session.get();
  if (example && example.step + 1 < example.of.steps.length) await go(example.of, example.step + 1, example.taken);
}

async function go(example: Example, at: number, taken: Taken): Promise<void> {
  const step = example.steps[at];
  if (!step) return;
  empty();
  const persona = session.get().persona;
  const filled = fill(step, session.get(), taken, Date.now());
  session.set({ example: { of: example, step: at, taken }, compareWith: step.compareWith ?? '' });
  if (step.persona !== persona) await become(step.persona);
  if (step.purpose) session.set({ purpose: step.purpose });
  place(filled.query, childrenFor(filled.variables, step.persona));
  await run();
}

/** Keeps of an answer what the next step asks for. */
function advance(answer: Answer): void {
  const { example } = session.get();
  const step = example?.of.steps[example.step];
  if (!example || !step || answer.persona !== step.persona) return;
  session.set({ example: { ...example, taken: { ...example.taken, ...take(step, answer.data) } } });
}

export const leaveExample = (): void => session.set({ example: null });

// ---- the rest

export function speak(language: Language): void {
  rememberLanguage(language);
  session.set({ language });
}

export function purpose(code: string): void {
  session.set({ purpose: code });
  const { answer, query } = session.get();
  if (answer && readsOnly(query)) void run();
}

/** Puts the sandbox back, and takes off the page what was true before. */
export async function resetSandbox(): Promise<boolean> {
  try {
    await http.reset();
    empty();
    session.set({ receipts: [], example: null });
    return true;
  } catch (error) {
    if (!(error instanceof http.Unreachable || error instanceof http.Refusal)) throw error;
    return false;
  }
}

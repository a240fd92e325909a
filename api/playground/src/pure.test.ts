/** What the page computes by itself, tried without a page. */
import { buildSchema, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { compared } from './answer/compare.ts';
import { fieldsByPath } from './answer/fields.ts';
import { withField } from './answer/insert.ts';
import { type Sources, emptyPlaces, notesOf } from './answer/notes.ts';
import { printed } from './answer/print.ts';
import { REASONS, takeReasons, withReasons } from './answer/reasons.ts';
import type { LogEntry, Turn } from './api/types.ts';
import { check, readersOf } from './ledger/model.ts';
import { matrixCsv } from './rules/csv.ts';
import { may, standing } from './rules/standing.ts';
import { shellQuoted } from './snippets/curl.ts';
import { SNIPPETS, callOf } from './snippets/index.ts';
import { literal, pieces } from './snippets/literals.ts';
import { fromFragment, toFragment } from './state/link.ts';
import { lanesOf, marksOf, since, stretchesOf } from './story/model.ts';
import { TEXTS } from './texts.ts';
import { clock, sentence } from './ui/words.ts';

const SCHEMA = buildSchema(`
  type Query { child(id: ID!): Child children: Children }
  type Children { nodes: [Child!]! }
  type Child { id: ID! placement: Placement }
  type Placement { type: String street: String earlier: [Earlier!] withheld: [Withheld!]! }
  type Earlier { from: String street: String }
  type Withheld { field: String! number: String! rule: String! reason: String! reasonSv: String! legalGround: String! ask: String! askSv: String! }
`);

const why = (field: string, rule = 'default-deny') => ({
  field,
  number: 'F31',
  rule,
  reason: 'no rule',
  reasonSv: 'ingen regel',
  legalGround: 'OSL 26 kap. 1 §',
  ask: 'the board',
  askSv: 'nämnden',
});

describe('reasons', () => {
  test('are asked for once in each section, and taken out again', () => {
    const asked = withReasons(parse('{ child(id: "x") { id placement { street } } }'), SCHEMA);
    expect(asked.match(new RegExp(REASONS, 'g'))).toHaveLength(1);
    const { data, reasons } = takeReasons({ child: { placement: { street: null, [REASONS]: [why('street')] as never } } });
    expect(data).toEqual({ child: { placement: { street: null } } });
    expect([...reasons.keys()]).toEqual(['child.placement']);
  });

  test('follow fragments', () => {
    const asked = withReasons(parse('{ child(id: "x") { ...C } } fragment C on Child { placement { ...P } } fragment P on Placement { street }'), SCHEMA);
    expect(asked).toContain(REASONS);
  });
});

describe('notes', () => {
  const sources = (change: Partial<Sources>): Sources => ({
    data: undefined,
    access: [],
    reasons: new Map(),
    fields: new Map(),
    ruleOf: () => undefined,
    closed: { sv: 'ingen', en: 'none' },
    ...change,
  });
  const list = { children: { nodes: [{ placement: { street: null } }, { placement: { street: 'A 1' } }, { placement: { street: null } }] } };
  const fields = new Map([['children.nodes.placement.street', { type: 'Placement', field: 'street' }]]);
  const access = (count: number) => [{ path: 'children.nodes.*.placement.street', code: 'WITHHELD', rule: 'default-deny', count }];

  test('a star stands for each place that is empty', () => {
    expect(emptyPlaces(list, 'children.nodes.*.placement.street')).toEqual([
      ['children', 'nodes', 0, 'placement', 'street'],
      ['children', 'nodes', 2, 'placement', 'street'],
    ]);
  });

  test('what is merely missing is not called withheld', () => {
    expect(notesOf(sources({ data: list, access: access(1), fields }))).toEqual([]);
    expect(notesOf(sources({ data: list, access: access(2), fields }))).toHaveLength(2);
    const reasons = new Map([
      ['children.nodes.0.placement', [why('street')]],
      ['children.nodes.2.placement', []],
    ]);
    const notes = notesOf(sources({ data: list, access: access(1), fields, reasons }));
    expect(notes.map((note) => note.path[2])).toEqual([0]);
    expect(notes[0]).toMatchObject({ field: 'placement.street', number: 'F31', ask: { sv: 'nämnden' } });
  });

  test('an alias keeps its field', () => {
    const found = fieldsByPath(parse('{ kid: child(id: "x") { where: placement { adr: street } } }'), SCHEMA);
    expect(found.get('kid.where.adr')).toEqual({ type: 'Placement', field: 'street' });
    const notes = notesOf(
      sources({
        data: { kid: { where: { adr: null } } },
        access: [{ path: 'kid.where.adr', code: 'WITHHELD', rule: 'default-deny', count: 1 }],
        fields: found,
        reasons: new Map([['kid.where', [why('street')]]]),
      }),
    );
    expect(notes).toHaveLength(1);
  });
});

test('JSON is printed as others print it, and each value knows its line', () => {
  const value = { a: [1, { b: null }, [], {}], c: 'å"\n' };
  const { text, lines } = printed(value);
  expect(text).toBe(JSON.stringify(value, null, 2));
  expect(text.split('\n')[(lines.get('a.1.b') ?? 0) - 1]).toContain('"b": null');
});

describe('comparison', () => {
  test('has one row a value, in order, those of one side where they belong', () => {
    const rows = compared({ data: { a: 1, b: { c: 2 }, d: [1] }, notes: [] }, { data: { a: 1, b: { x: 3, c: 9 }, d: [1, 2] }, notes: [] });
    expect(rows.map((row) => [row.path, row.left.value, row.right.value, row.differs])).toEqual([
      ['a', '1', '1', false],
      ['b.x', null, '3', true],
      ['b.c', '2', '9', true],
      ['d.0', '1', '1', false],
      ['d.1', null, '2', true],
    ]);
  });

  test('an empty value and a withheld one differ', () => {
    const note = { path: ['a'], field: 'x.a', rule: 'r', number: '', reason: { sv: '', en: '' }, legalGround: '', ask: null };
    expect(compared({ data: { a: null }, notes: [] }, { data: { a: null }, notes: [note] })[0]?.differs).toBe(true);
  });
});

describe('a field is added', () => {
  test.each([
    ['{ child(id: "x") { id } }', '{ child(id: "x") { id placement { street } } }'],
    ['{\n  child(id: "x") {\n    placement {\n      type # here\n    }\n  }\n}', '{\n  child(id: "x") {\n    placement {\n      type # here\n      street\n    }\n  }\n}'],
    ['{ child(id: "x") { placement { street } } }', '{ child(id: "x") { placement { street } } }'],
    ['{ nonsense', '{ nonsense'],
  ])('%s', (before, after) => {
    expect(withField(before, SCHEMA, 'placement', 'street')).toBe(after);
  });

  test('one that holds more comes with its values', () => {
    expect(withField('{ child(id: "x") { id } }', SCHEMA, 'placement', 'earlier')).toContain('placement { earlier { from street } }');
  });
});

describe('copied code', () => {
  test('a shell expands nothing in a quoted word', () => {
    expect(shellQuoted(`it's $HOME \`x\``)).toBe(`'it'\\''s $HOME \`x\`'`);
  });

  test('literals come back as they were', () => {
    const wild = '"quoted" \\ back\n\t\u0001\u2028 åäö 🙂 ${x} %s';
    expect(JSON.parse(literal(wild))).toBe(wild);
    expect(pieces(wild.repeat(20), '+').split('"+"').length).toBeGreaterThan(3);
  });

  test('the token is never in it', () => {
    const call = callOf('http://h/graphql', { Authorization: 'Bearer SECRET', 'Samverka-Purpose': 'PROTECT' }, '{ me { role } }', {});
    for (const [, , make] of SNIPPETS) {
      const made = make(call);
      expect(made).not.toContain('SECRET');
      expect(made).toContain('TOKEN');
      expect(made).toContain('PROTECT');
    }
  });
});

test('a link holds what it was given, and what is not a link is none', () => {
  const shared = { persona: 'skola', purpose: 'SCHOOL', query: '{ å }', variables: '{"a":"”"}' };
  expect(fromFragment(toFragment(shared))).toEqual(shared);
  for (const other of ['', '#/ask', '#/ask?q=', '#/ask?q=***', '#/ask?q=e30', `${toFragment(shared)}!`]) expect(fromFragment(other)).toBeNull();
});

describe('standing', () => {
  const rule = (effect: 'PERMIT' | 'FORBID', ...verbs: string[]) => ({ id: 'r', effect, verbs, legalGround: '', en: '', sv: '' });

  test('is open, open with exceptions, or closed', () => {
    expect(standing([rule('PERMIT', 'read')])).toBe('OPEN');
    expect(standing([rule('PERMIT', 'read'), rule('FORBID', 'read', 'search')])).toBe('SOMETIMES');
    expect(standing([rule('FORBID', 'write'), rule('PERMIT', 'search')])).toBe('CLOSED');
    expect(may([rule('FORBID', 'write')], 'write')).toBe(false);
  });

  test('is handed over as a table that runs nothing', () => {
    const csv = matrixCsv(['A'], () => [{ field: '=cmd', number: 'F1"', group: 'g', rules: [rule('PERMIT', 'read', 'write')] }], { field: 'Fält', number: 'Nr' });
    expect(csv).toBe('\uFEFF"Fält","Nr","A"\r\n"\'=cmd","F1""","OPEN+WRITE"\r\n');
  });
});

describe('a story', () => {
  const turn = (change: Partial<Turn>): Turn => ({
    minute: 0,
    en: '',
    sv: '',
    by: null,
    document: null,
    lead: 'a',
    responsible: 'a',
    refused: null,
    handover: null,
    overdue: false,
    episode: null,
    events: [],
    shown: {},
    opened: {},
    closed: {},
    ...change,
  });
  const event = (to: string, alarm: boolean) => ({ to, kind: 'K', text: { sv: '', en: '' }, alarm, count: 1 });
  const turns = [turn({ by: 'c' }), turn({ responsible: 'b', events: [event('a', false), event('a', true)] }), turn({ lead: 'b', responsible: 'b', by: 'd', refused: 'NOT_FOUND' })];

  test('has those side by side who lead', () => {
    expect(lanesOf(turns)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('moves the lead once', () => {
    expect(stretchesOf(turns.map((one) => one.lead), lanesOf(turns))).toEqual([
      { lane: 0, from: 0, to: 1 },
      { lane: 1, from: 2, to: 2 },
    ]);
  });

  test('marks an alarm above all else', () => {
    expect(marksOf(turns, lanesOf(turns))).toEqual([
      { at: 0, lane: 2, kind: 'acts' },
      { at: 1, lane: 0, kind: 'alarm' },
      { at: 2, lane: 3, kind: 'refused' },
    ]);
  });

  test('tells time in its largest units', () => {
    expect([0, 30, 360, 5520].map(since)).toEqual(['0', '30 min', '6 h', '3 d 20 h']);
  });
});

describe('the log', () => {
  const entry = (place: string, at: string, hash: string, agencyId = 'a', shown: string[] = []): LogEntry => ({
    at,
    place,
    requestId: '',
    agencyId,
    role: null,
    client: '',
    user: null,
    purpose: null,
    case: null,
    operation: '',
    relation: null,
    shown,
    withheld: [],
    changed: [],
    rules: [],
    policy: '',
    hash,
  });
  const log = [entry('l/2', '2026-01-01T00:00:02Z', 'h2'), entry('l/1', '2026-01-01T00:00:01Z', 'h1')];

  test('matches its receipts, or does not', () => {
    const receipt = (place: string, hash: string) => ({ persona: 'p', place, hash });
    expect(check(log, [receipt('l/1', 'h1'), receipt('m/9', 'x')])).toMatchObject({ isSound: true, isOrdered: true });
    expect(check(log, [receipt('l/1', 'other')]).isSound).toBe(false);
    expect(check([...log, entry('l/3', '2025-01-01T00:00:00Z', 'h3')], []).isOrdered).toBe(false);
    expect(check([...log, log[0] as LogEntry], []).isOrdered).toBe(false);
  });

  test('tells who has read what', () => {
    const readers = readersOf([entry('l/1', '1', '', 'a', ['x.a']), entry('l/2', '2', '', 'b', ['x.b']), entry('l/3', '3', '', 'a', ['x.a', 'x.c'])]);
    expect(readers.map((one) => [one.agencyId, one.times, one.fields.length])).toEqual([
      ['a', 2, 2],
      ['b', 1, 1],
    ]);
  });
});

test('both languages have the same texts, and none is empty', () => {
  expect(Object.keys(TEXTS.en).sort()).toEqual(Object.keys(TEXTS.sv).sort());
  for (const text of [...Object.values(TEXTS.sv), ...Object.values(TEXTS.en)]) expect(text.trim()).not.toBe('');
  for (const key of Object.keys(TEXTS.sv) as (keyof typeof TEXTS.sv)[]) {
    const holes = (text: string): string[] => (text.match(/\{\w+\}/g) ?? []).sort();
    expect(holes(TEXTS.en[key]), key).toEqual(holes(TEXTS.sv[key]));
  }
  for (const text of Object.values(TEXTS.en)) expect(text).not.toMatch(/[åäöÅÄÖ]/);
});

test('words', () => {
  expect(sentence('barnet registrerades')).toBe('Barnet registrerades.');
  expect(clock(65.2)).toBe('1:06');
});

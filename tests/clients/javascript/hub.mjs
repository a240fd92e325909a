// What the clients are told of the hub, and what each of them does with it. A client gives `ask`, which asks in the
// client's own way and says what the client gave back: `{ data, errors }`, each error as GraphQL has it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

const told = (name) => process.env[name] ?? assert.fail(`${name} is not set: run tests/clients/run`);
export const url = told('HUB_URL');
export const board = told('HUB_BOARD_TOKEN');
const school = told('HUB_SCHOOL_TOKEN');
// A child of the sandbox: the one in README.md.
const childId = 'child_4bshgqrgoh3l1bubfe42jrgc14';

/** The headers of a caller. */
export const headersOf = (token, purpose) => ({
  ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
  'Samverka-Purpose': purpose,
});

/** `fetch` that notes what came back last. */
export const last = {};
export async function noted(...request) {
  const response = await fetch(...request);
  last.status = response.status;
  last.type = response.headers.get('content-type');
  return response;
}

const CHILD = `query Child($id: ID!) { child(id: $id) { id identity { givenNames }
  safetyPlan { planExists plan withheld { field rule legalGround ask } } } }`;
const VOICE = 'query Voice($id: ID!) { child(id: $id) { id voice { version wishes } } }';
const UPDATE = `mutation Update($id: ID!, $version: String!, $set: VoicePatch) {
  updateVoice(childId: $id, expectedVersion: $version, set: $set, clear: [RECORDED_ON]) {
    child { id voice { version wishes } } } }`;
const PAGE = `query Page($after: String) { children(first: 100, after: $after) {
  nodes { id } pageInfo { hasNextPage endCursor } } }`;

/** Five things that every integration does, done by a client: `ask(token, purpose, document, variables)`. */
export function does(name, ask) {
  const good = async (...question) => {
    const { data, errors } = await ask(...question);
    assert.deepEqual(errors, []);
    assert.equal(last.status, 200);
    return data;
  };
  const refused = async (status, code, ...question) => {
    const { data, errors } = await ask(...question);
    assert.equal(last.status, status);
    assert.deepEqual(errors.map((error) => error.extensions.code), [code]);
    assert.ok(errors[0].message && errors[0].extensions.remedy);
    return data;
  };

  test(`${name} reads values, and what is withheld`, async () => {
    const { child } = await good(school, 'SCHOOL', CHILD, { id: childId });
    assert.equal(child.identity.givenNames, 'Farhad');
    assert.equal(child.safetyPlan.planExists, true);
    assert.equal(child.safetyPlan.plan, null);
    const withheld = child.safetyPlan.withheld.find(({ field }) => field === 'plan');
    assert.equal(withheld.rule, 'default-deny');
    assert.equal(withheld.legalGround, 'OSL 26 kap. 1 §');
    const whole = await good(board, 'PROTECT', CHILD, { id: childId });
    assert.ok(whole.child.safetyPlan.plan.startsWith('Uppföljd med barnet'));
    assert.deepEqual(whole.child.safetyPlan.withheld, []);
  });

  test(`${name} writes from the version it read, and is told when that is overtaken`, async () => {
    const before = (await good(board, 'PROTECT', VOICE, { id: childId })).child.voice;
    const wishes = `Vill läsa mer. (${name}, ${process.pid})`;
    const variables = { id: childId, version: before.version, set: { wishes } };
    const { updateVoice } = await good(board, 'PROTECT', UPDATE, variables);
    assert.equal(updateVoice.child.voice.wishes, wishes);
    assert.notEqual(updateVoice.child.voice.version, before.version);
    const again = { ...variables, set: { wishes: 'Något annat.' } };
    await refused(200, 'CONFLICT', board, 'PROTECT', UPDATE, again);
    assert.equal((await good(board, 'PROTECT', VOICE, { id: childId })).child.voice.wishes, wishes);
  });

  test(`${name} walks through the pages of a list`, async () => {
    const ids = [];
    let pages = 0;
    for (let after = null, more = true; more; pages += 1) {
      const { children } = await good(board, 'PROTECT', PAGE, { after });
      ids.push(...children.nodes.map(({ id }) => id));
      ({ hasNextPage: more, endCursor: after } = children.pageInfo);
    }
    assert.ok(pages >= 2 && ids.length > 100, `${ids.length} children on ${pages} pages`);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.includes(childId));
    await refused(200, 'INVALID_CURSOR', board, 'PROTECT', PAGE, { after: 'nonsense' });
  });

  test(`${name} is turned away without a good token`, async () => {
    await refused(401, 'UNAUTHENTICATED', null, 'PROTECT', VOICE, { id: childId });
    await refused(401, 'TOKEN_REFUSED', `${board}x`, 'PROTECT', VOICE, { id: childId });
  });

  test(`${name} is told what is wrong with a request`, async () => {
    assert.ok(!(await refused(400, 'GRAPHQL_VALIDATION_FAILED', board, 'PROTECT', 'query Wrong { nonsense }', {})));
    assert.match(last.type, /^application\/graphql-response\+json/);
    await refused(400, 'GRAPHQL_VALIDATION_FAILED', board, 'PROTECT', VOICE, {});
  });
}

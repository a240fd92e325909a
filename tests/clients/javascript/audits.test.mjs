// The audits of GraphQL over HTTP that the package graphql-http brings, each a test. All have to pass, whether they tell
// of what a server MUST, SHOULD or MAY do, but those listed here with the reason; and those must not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { board, headersOf, url } from './hub.mjs';

const get = 'GET is not offered: what is asked for would stand in addresses, and those in logs';
const NOT_PASSED = { '5A70': get, D6D5: get, '6A70': get };
/** How many audits this version of the package has. */
const AUDITS = 61;

const fetchFn = (address, { headers, ...request } = {}) =>
  fetch(address, { ...request, headers: { ...headers, ...headersOf(board, 'PROTECT') } });
const audits = serverAudits({ url, fetchFn });

for (const { id, name, fn } of audits) {
  const why = NOT_PASSED[id];
  test(`${id} ${name}${why ? ` – NOT PASSED: ${why}` : ''}`, async () => {
    const { status, reason, response } = await fn();
    const answer = response && `${response.status} ${response.headers.get('content-type')}`;
    if (why) {
      assert.ok(name.startsWith('MAY'), 'only what a server may do can be left out');
      assert.equal(status, 'notice', 'it passes: take it off the list');
    } else {
      assert.equal(status, 'ok', `${reason}: ${answer}`);
    }
  });
}

test('as many audits are made as there are, and each of the list', () => {
  assert.equal(audits.length, AUDITS);
  const ids = new Set(audits.map(({ id }) => id));
  assert.equal(ids.size, AUDITS);
  for (const id of Object.keys(NOT_PASSED)) assert.ok(ids.has(id), id);
});

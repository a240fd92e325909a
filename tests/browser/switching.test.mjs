// The most important promise of the page: when somebody else asks, nothing that the one before was shown stays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, ask, become, childOf, everything, opened, run, write } from './harness.mjs';

const QUERY = `query Look($id: ID!) {
  child(id: $id) {
    identity { givenNames familyName birthDate }
    placement { street unitName }
    guardianship { guardianName guardianPhone }
    risk { exploitation indicators { indicator source } }
    safetyPlan { plan }
    network { phones }
  }
}`;

/** Every value of an answer that is long enough to be somebody's. */
function values(data) {
  if (data === null || typeof data !== 'object') return typeof data === 'string' && data.length > 4 ? [data] : [];
  return Object.values(data).flatMap(values);
}

async function secrets() {
  const { id, partnerIds } = await childOf('missing');
  const { data } = await ask('malmo-soc', 'PROTECT', QUERY, { id });
  const found = values(data);
  assert.ok(found.length > 5, 'the board sees a good deal of the child');
  return { id, partnerIds, found };
}

const left = async (page, found) => {
  const said = await everything(page);
  return found.filter((value) => said.includes(value));
};

test('what the board was shown is gone when Rädda Barnen asks', async () => {
  const { id, partnerIds, found } = await secrets();
  await opened(async (page) => {
    await become(page, 'malmo-soc');
    await write(page, QUERY, { id });
    await run(page);
    // What is scrolled out of sight an editor does not draw; enough of it is in sight.
    assert.ok((await left(page, found)).length > 2, 'the answer is on the page before');
    // The new answer is held back: until it comes there is nothing at all.
    let release;
    const released = new Promise((done) => (release = done));
    await page.route('**/graphql', async (route) => {
      if (route.request().postData()?.includes('Look')) await released;
      await route.continue();
    });
    await become(page, 'radda-barnen');
    assert.deepEqual(await left(page, found), [], 'at once');
    await page.locator('.meta.is-running').waitFor();
    assert.deepEqual(await left(page, found), [], 'while it is asked');
    release();
    await answered(page);
    await page.unrouteAll({ behavior: 'wait' });
    // What Rädda Barnen may see itself, by a consent, it sees.
    const own = values((await ask('radda-barnen', 'PROTECT', QUERY, { id: partnerIds['radda-barnen'] })).data);
    assert.deepEqual((await left(page, found)).filter((value) => !own.includes(value)), [], 'and after the new answer');
  });
});

test('a slow answer to the one before never comes', async () => {
  const { id, found } = await secrets();
  await opened(
    async (page) => {
      await become(page, 'malmo-soc');
      await write(page, QUERY, { id });
      let held;
      await page.route('**/graphql', async (route) => {
        if (!held && route.request().postData()?.includes('Look')) {
          held = true;
          const response = await route.fetch();
          await new Promise((done) => setTimeout(done, 1_500));
          await route.fulfill({ response }).catch(() => {});
        } else {
          await route.continue();
        }
      });
      await page.getByRole('button', { name: /^Kör/ }).click();
      await page.waitForTimeout(200);
      await become(page, 'lansstyrelsen-skane');
      for (let look = 0; look < 12; look += 1) {
        assert.deepEqual(await left(page, found), []);
        await page.waitForTimeout(200);
      }
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    },
  );
});

test('the comparison, the history and the log keep nothing either', async () => {
  const { id, found } = await secrets();
  await opened(async (page) => {
    await become(page, 'malmo-soc');
    await write(page, QUERY, { id });
    await page.getByLabel('Jämför med').selectOption('landskrona-soc');
    await run(page);
    await page.locator('.differences').waitFor();
    assert.ok((await left(page, found)).length > 5);
    await page.getByRole('tab', { name: 'Historik' }).click();
    await become(page, 'lansstyrelsen-skane');
    assert.deepEqual(await left(page, found), [], 'the comparison');
    await page.waitForTimeout(600);
    // The other persona of the comparison is one that was chosen: what it may see is there again.
    await page.getByLabel('Jämför med').selectOption('');
    await answered(page);
    assert.deepEqual(await left(page, found), [], 'the history');
    for (const view of ['rules', 'story', 'ledger', 'guide']) {
      await page.goto(page.url().replace(/#.*/, `#/${view}`));
      await page.waitForTimeout(500);
      // The guide tells what the children are called: everybody may know that, here.
      const own = view === 'guide' ? found.filter((value) => value.length > 12) : found;
      assert.deepEqual(await left(page, own), [], view);
    }
  });
});

test('the feed of changes is emptied, too, and asked anew with the new token', async () => {
  await opened(async (page) => {
    await become(page, 'malmo-soc');
    await write(page, '{ changes(first: 20) { nodes { kind childId handoverId } cursor hasMore } }', {});
    const asked = [];
    page.on('request', (request) => {
      if (request.url().endsWith('/graphql') && request.postData()?.includes('changes(')) asked.push(request.headers().authorization);
    });
    await run(page);
    const seen = (await everything(page)).match(/(child|handover)_[a-z0-9]{26}/g) ?? [];
    await become(page, 'stadsmissionen');
    const said = await everything(page);
    const options = await page.locator('option').evaluateAll((all) => all.map((one) => one.value));
    assert.deepEqual(seen.filter((id) => said.includes(id) && !options.includes(id)), []);
    await answered(page);
    assert.equal(asked.length, 2);
    assert.notEqual(asked[0], asked[1], 'each persona asks with its own token');
  });
});

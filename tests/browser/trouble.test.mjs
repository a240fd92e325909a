// What bad input gets, and a hub that stops: words, and never a blank page.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { become, findings, opened, picture, run, write } from './harness.mjs';

test('a hub that stops is said, and asked again until it is there', async () => {
  await opened(
    async (page) => {
      await become(page, 'malmo-soc');
      await page.route('**/graphql', (route) => route.abort('connectionrefused'));
      await page.getByRole('button', { name: /^Kör/ }).click();
      await page.getByText('Servern svarar inte. Försöker igen om 5 s.').first().waitFor();
      assert.ok((await page.locator('.card').count()) > 10, 'the page is still there');
      assert.deepEqual(await findings(page), []);
      await page.unrouteAll();
      await page.locator('.answer .banner:not(.is-bad), .answer .meta').first().waitFor({ timeout: 12_000 });
    },
  );
});

test('a page that opens while the hub is away comes by itself when it is back', async () => {
  await opened(
    async (page) => {
      await page.getByText('Servern svarar inte. Försöker igen om 5 s.').first().waitFor();
      await page.unrouteAll();
      await page.locator('.card').first().waitFor({ timeout: 12_000 });
    },
    { prepare: (page) => page.route('**/sandbox/personas', (route) => route.abort('connectionrefused')) },
  );
});

test('what is wrong with a question is marked while it is written, and said when it is asked', async () => {
  await opened(async (page) => {
    await become(page, 'malmo-soc');
    await write(page, '{ me { role nope } }', {});
    await page.locator('.query-box .cm-lintRange-error').waitFor();
    await run(page);
    await page.getByText('Dokumentet passar inte schemat.').waitFor();
    await write(page, '{ me { role ', {});
    await run(page);
    await page.getByText('Dokumentet är inte GraphQL.').waitFor();
    await write(page, '{ me { role } }');
    await page.getByRole('textbox', { name: 'Variabler', exact: true }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText('[1]');
    await page.getByRole('button', { name: /^Kör/ }).click();
    await page.getByText('Variablerna är inte ett JSON-objekt.').waitFor();
  });
});

test('a suggestion tells how the role stands to the field', async () => {
  await opened(async (page) => {
    await become(page, 'skola');
    await write(page, '{ child(id: "x") { placement {  } } }', {});
    for (let press = 0; press < 6; press += 1) await page.keyboard.press('ArrowLeft');
    await page.getByRole('textbox', { name: 'Fråga', exact: true }).focus();
    await page.keyboard.press('End');
    for (let press = 0; press < 6; press += 1) await page.keyboard.press('ArrowLeft');
    await page.keyboard.type('str', { delay: 60 });
    const info = page.locator('.cm-completionInfo');
    await info.waitFor();
    assert.match(await info.textContent(), /○ Skolan: Ser inte/);
    const [x, y] = await info.evaluate((one) => { const box = one.getBoundingClientRect(); return [box.x + 20, box.y + 10]; });
    assert.equal(await page.evaluate(([left, top]) => document.elementFromPoint(left, top)?.shadowRoot?.elementFromPoint(left, top)?.closest('.cm-completionInfo') !== null, [x, y]), true, 'it is seen');
    await picture(page, 'suggestion-1440');
  });
});

test('a list of five hundred is shown at once, with its reasons, and the page does not freeze', async () => {
  await opened(async (page) => {
    await become(page, 'hvb-malmo');
    await page.route('**/graphql', async (route) => {
      if (!route.request().postData()?.includes('FiveHundred')) return route.continue();
      const why = (field) => ({ field, number: 'F31', rule: 'default-deny', reason: 'No rule', reasonSv: 'Ingen regel', legalGround: 'OSL 26 kap. 1 §', ask: 'the board', askSv: 'nämnden' });
      const nodes = Array.from({ length: 500 }, (_, index) => ({
        id: `child_${index}`,
        placement: { type: null, street: null, postalTown: null, playgroundReasons: ['type', 'street', 'postalTown'].map(why) },
      }));
      const access = ['type', 'street', 'postalTown'].map((field) => ({ path: `children.nodes.*.placement.${field}`, code: 'WITHHELD', rule: 'default-deny', count: 500 }));
      return route.fulfill({ json: { data: { children: { nodes } }, extensions: { access } } });
    });
    await write(page, 'query FiveHundred { children { nodes { id placement { type street postalTown } } } }', {});
    const began = Date.now();
    await page.getByRole('button', { name: /^Kör/ }).click();
    await page.getByText('1500 värden i svaret är begränsade för rollen.').first().waitFor();
    await page.locator('.response-box .note').first().waitFor();
    const took = Date.now() - began;
    assert.ok(took < 1_500, `${took} ms`);
    const frames = await page.evaluate(async () => {
      const scroller = document.querySelector('.response-box .editor').shadowRoot.querySelector('.cm-scroller');
      let longest = 0;
      for (let step = 0; step < 20; step += 1) {
        const at = performance.now();
        scroller.scrollTop += 2_000;
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        longest = Math.max(longest, performance.now() - at);
      }
      return longest;
    });
    assert.ok(frames < 500, `a frame took ${Math.round(frames)} ms`);
    assert.ok((await page.locator('.response-box .note').count()) > 0, 'notes are drawn wherever one scrolls');
    await page.getByLabel('Jämför med').selectOption('skola');
    await page.locator('.differences tbody tr').first().waitFor();
  });
});

test('the sandbox is reset after a question, and the answers before are gone', async () => {
  await opened(
    async (page) => {
      await page.getByRole('button', { name: 'Återställ sandlådan' }).last().click();
      await page.getByRole('dialog').getByRole('button', { name: 'Återställ sandlådan' }).click();
      await page.getByText('Sandlådan är återställd.').waitFor({ timeout: 60_000 });
    },
    { at: '#/guide' },
  );
  await opened(async (page) => {
    await run(page);
    await page.locator('.answer .banner').first().waitFor();
  });
});

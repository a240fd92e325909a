// What the page says of a role is what the hub does: every persona, every field, from the hub's own tables.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answered, ask, become, childOf, everything, got, opened, run, write } from './harness.mjs';

/** A question for every field of the record. */
async function whole() {
  const { data } = await got('/schema.json');
  const types = new Map(data.__schema.types.map((type) => [type.name, type]));
  const named = (type) => (type.ofType ? named(type.ofType) : type.name);
  const inner = (type) => {
    const plain = types.get(named(type))?.fields?.filter((field) => !types.get(named(field.type))?.fields && field.args.length === 0);
    return plain ? ` { ${plain.map((field) => field.name).join(' ')} }` : '';
  };
  const { data: rules } = await ask('malmo-soc', '', '{ fieldRules { field } }');
  const sections = new Map();
  for (const { field } of rules.fieldRules) {
    const [section, name] = field.split('.');
    const type = types.get(section[0].toUpperCase() + section.slice(1));
    const own = type.fields.find((one) => one.name === name);
    sections.set(section, [...(sections.get(section) ?? []), name + inner(own.type)]);
  }
  return `query Whole($id: ID!) { child(id: $id) { ${[...sections].map(([section, fields]) => `${section} { ${fields.join(' ')} }`).join(' ')} } }`;
}

test('every persona sees of every field what its rules say, and every reason is on the page', async () => {
  const query = await whole();
  const personas = await got('/sandbox/personas');
  const children = await got('/sandbox/children');
  let checked = 0;
  await opened(
    async (page) => {
      for (const one of personas) {
        const { data } = await ask(one.code, '', '{ fieldRules { field rules { id effect verbs } } }');
        const rules = new Map(data.fieldRules.map((field) => [field.field, field.rules]));
        await become(page, one.code);
        for (const child of children.filter((each) => ['everyday', 'missing', 'consented', 'protected-identity'].includes(each.key))) {
          const id = child.partnerIds[one.code] ?? child.id;
          const answer = await ask(one.code, one.purpose, query, { id });
          if (!answer.data?.child) continue;
          const withheld = new Map((answer.extensions.access ?? []).map((entry) => [entry.path, entry]));
          for (const [field, own] of rules) {
            const [section, name] = field.split('.');
            const value = answer.data.child[section]?.[name];
            const opens = own.some((rule) => rule.effect === 'PERMIT' && rule.verbs.includes('read'));
            if (!opens) assert.equal(value ?? null, null, `${one.code} sees ${field} without a rule`);
            const entry = withheld.get(`child.${section}.${name}`);
            if (entry && entry.rule !== 'default-deny') {
              assert.ok(own.some((rule) => rule.id === entry.rule && rule.effect === 'FORBID'), `${one.code} ${field}: ${entry.rule} is not told`);
            }
            checked += 1;
          }
          if (child.key !== 'missing') continue;
          await write(page, query, { id });
          await run(page);
          const count = [...withheld.values()].reduce((sum, entry) => sum + entry.count, 0);
          const line = await page.locator('.answer .banner').first().textContent();
          assert.ok(line.startsWith(count === 0 ? 'Svaret anger inget' : String(count)), `${one.code}: ${line} for ${count}`);
        }
      }
    },
    { height: 1400 },
  );
  assert.ok(checked > 3_000, `${checked} were checked`);
});

test('the gutter tells before anything is asked, and the note stands below the value after', async () => {
  const child = await childOf('missing');
  await opened(async (page) => {
    await become(page, 'skola');
    await write(page, 'query Q($id: ID!) {\n  child(id: $id) {\n    identity {\n      givenNames\n    }\n    placement {\n      street\n    }\n  }\n}', { id: child.id });
    await page.locator('.question .sign.CLOSED').waitFor();
    assert.equal(await page.locator('.query-box .sign.OPEN').count() > 0, true);
    await run(page);
    const note = page.locator('.response-box .note');
    await note.waitFor();
    assert.match(await note.textContent(), /Ser inte\..+OSL 26 kap\. 1 §.+default-deny · F31/s);
    const above = await note.evaluate((one) => one.closest('.noterow').previousElementSibling.textContent);
    assert.match(above, /"street": null/);
  });
});

test('a mutation is not made again when somebody else asks', async () => {
  await opened(async (page) => {
    await become(page, 'skola');
    let sent = 0;
    page.on('request', (request) => {
      if (request.url().endsWith('/graphql') && request.postData()?.includes('submitConcern')) sent += 1;
    });
    await write(page, 'mutation { submitConcern(about: { text: "Provtext" , municipality: "1280" }) { id } }', {});
    await run(page);
    await become(page, 'hvb-malmo');
    await page.waitForTimeout(800);
    assert.equal(sent, 1);
  });
});

test('the matrix holds every field and role, and is handed over as a file', async () => {
  const { data } = await ask('malmo-soc', '', '{ fieldRules { field } }');
  await opened(
    async (page) => {
      const button = page.getByRole('button', { name: 'Hämta som CSV' });
      await page.waitForFunction(() => [...document.querySelectorAll('button')].some((one) => one.textContent === 'Hämta som CSV' && !one.disabled));
      const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
      const { readFile } = await import('node:fs/promises');
      const rows = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
      assert.equal(rows.length, data.fieldRules.length + 1);
      assert.equal(rows[0].split(',').length, 15);
      assert.equal(await page.locator('.matrix .cell').count(), data.fieldRules.length * 13);
      await page.locator('.matrix .cell.CLOSED').first().click();
      assert.match(await page.locator('.why-row').textContent(), /Ingen regel öppnar fältet/);
    },
    { at: '#/rules' },
  );
});

test('a field is added to the question without touching what stands there', async () => {
  await opened(async (page) => {
    await become(page, 'malmo-soc');
    await write(page, 'query Q($id: ID!) {\n  # en kommentar\n  child(id: $id) {\n    identity {\n      givenNames\n    }\n  }\n}', {});
    await page.getByLabel('Sök fält').fill('criticalNeeds');
    await page.getByRole('button', { name: /criticalNeeds/ }).first().click();
    await page.getByRole('button', { name: 'Lägg till criticalNeeds i frågan' }).click();
    await page.locator('.query-box .cm-content').getByText('criticalNeeds').waitFor();
    const text = await page.locator('.query-box .cm-content').evaluate((one) => one.innerText);
    assert.match(text, /# en kommentar/);
    assert.match(text, /health \{ criticalNeeds \}/);
  });
});

test('a name that holds markup is text, in the answer, the comparison and the guide', async () => {
  const child = await childOf('markup-in-name');
  await opened(async (page) => {
    await become(page, 'malmo-soc');
    await write(page, 'query Q($id: ID!) { child(id: $id) { identity { givenNames familyName } } }', { id: child.id });
    await run(page);
    assert.ok((await everything(page)).includes('<img src=x onerror=alert(1)>'));
    await page.getByLabel('Jämför med').selectOption('skola');
    await page.locator('.differences').waitFor();
    assert.ok((await everything(page)).includes('<img src=x onerror=alert(1)>'));
    await page.goto(page.url().replace(/#.*/, '#/guide'));
    await page.getByText(child.name).waitFor();
    assert.equal(await page.locator('img').count(), 0);
  });
});

test('two personas are compared value by value', async () => {
  const child = await childOf('missing');
  const query = 'query Q($id: ID!) { child(id: $id) { identity { givenNames birthDate } placement { type street } risk { exploitation } safetyPlan { planExists plan } } }';
  const [one, other] = await Promise.all([ask('malmo-soc', 'PROTECT', query, { id: child.id }), ask('skola', 'SCHOOL', query, { id: child.id })]);
  const leaves = (value, path = 'child') => (value === null || typeof value !== 'object' ? [[path, JSON.stringify(value)]] : Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`)));
  const right = new Map(leaves(other.data.child));
  const rows = leaves(one.data.child);
  const withheld = new Set((other.extensions.access ?? []).map((entry) => entry.path));
  const different = rows.filter(([path, value]) => right.get(path) !== value || withheld.has(path)).length;
  await opened(async (page) => {
    await become(page, 'malmo-soc');
    await write(page, query, { id: child.id });
    await page.getByLabel('Jämför med').selectOption('skola');
    await run(page);
    await page.getByText(`${different} av ${rows.length} värden skiljer sig åt.`).first().waitFor();
    await page.getByLabel('Visa bara skillnader').check();
    assert.equal(await page.locator('.differences tbody tr').count(), different);
    await answered(page);
  });
});

test('every example runs, and is refused only where it says so', async () => {
  await opened(
    async (page) => {
      await page.getByRole('tab', { name: 'Exempel' }).click();
      const titles = await page.locator('.example strong').evaluateAll((all) => all.map((one) => one.firstChild.textContent));
      assert.ok(titles.length > 10);
      for (const title of titles) {
        await page.locator('.example', { hasText: title }).first().click();
        for (;;) {
          await page.waitForTimeout(150);
          await answered(page);
          await page.locator('.answer .banner, .errors, .differences').first().waitFor();
          const codes = await page.locator('.errors .codes code').allTextContents();
          for (const code of codes.filter((each) => /^[A-Z_]+$/.test(each))) {
            assert.ok(['FORBIDDEN', 'NOT_FOUND', 'QUERY_REFUSED'].includes(code), `${title}: ${code}`);
          }
          const next = page.getByRole('button', { name: 'Nästa steg' });
          if ((await next.count()) === 0) break;
          await next.click();
        }
      }
    },
    { height: 1100 },
  );
});

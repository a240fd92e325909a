// Tokens: in memory and in one header, and nowhere else; what happens when one runs out; links and copied code.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { answered, become, childOf, everything, opened, run, token, write } from './harness.mjs';

const execute = promisify(execFile);
const JWT = /eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/;

/** Everything that outlives a question. */
const kept = (page) =>
  page.evaluate(async () => {
    const stores = [localStorage, sessionStorage].map((store) => JSON.stringify({ ...store }));
    const databases = await indexedDB.databases();
    return [...stores, document.cookie, location.href, JSON.stringify(databases), JSON.stringify(await caches.keys())].join('\n');
  });

test('a token is nowhere but in the header, and only language and persona are remembered', async () => {
  await opened(async (page, context) => {
    await become(page, 'skola');
    await run(page);
    await page.getByRole('button', { name: 'English' }).click();
    assert.doesNotMatch(await kept(page), JWT);
    assert.doesNotMatch(await everything(page), JWT);
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).sort()), ['samverka.language', 'samverka.persona']);
    assert.deepEqual(await context.cookies(), []);
    await page.reload();
    await page.locator('input[value=skola]:checked').waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
  });
});

test('a token that has run out is said, and a new one is one press away', async () => {
  await opened(
    async (page) => {
      await page.getByText('Token har gått ut').waitFor();
      await run(page);
      await page.getByText('Åtkomsttoken har gått ut.').waitFor();
      assert.ok((await page.locator('.errors code').allTextContents()).includes('TOKEN_EXPIRED'));
      await page.unrouteAll();
      await page.getByRole('button', { name: 'Hämta ny token och kör igen' }).click();
      await page.locator('.answer .banner').first().waitFor();
      assert.equal(await page.locator('.errors').count(), 0);
      await page.getByText(/Token gäller/).waitFor();
    },
    {
      prepare: (page) =>
        page.route('**/sandbox/token', async (route) => {
          const body = JSON.parse(route.request().postData());
          await route.continue({ postData: JSON.stringify({ ...body, ttl: 1 }) });
        }),
    },
  );
});

test('a wrong token is answered with a code and a text', async () => {
  await opened(
    async (page) => {
      await run(page);
      await page.locator('.errors').waitFor();
      const codes = await page.locator('.errors code').allTextContents();
      assert.ok(codes.includes('TOKEN_REFUSED') || codes.includes('UNAUTHENTICATED'), codes.join());
      assert.match(await page.locator('.answer .meta').textContent(), /401/);
    },
    {
      prepare: (page) =>
        page.route('**/graphql', (route) => route.continue({ headers: { ...route.request().headers(), authorization: 'Bearer eyJhbGciOiJub25lIn0.e30.x' } })),
    },
  );
});

test('a link opens in a new profile with question, variables and persona, and without a token', async () => {
  const child = await childOf('missing');
  const variables = { id: child.id, note: 'åäö “citat” \\ \' "' };
  let link;
  await opened(async (page) => {
    await become(page, 'polisen');
    await write(page, 'query Length($id: ID!) { child(id: $id) { description { appearance } } }', variables);
    await page.getByRole('button', { name: 'Kopiera länk' }).click();
    await page.getByRole('button', { name: 'Kopierat' }).waitFor();
    link = await page.evaluate(() => navigator.clipboard.readText());
  });
  assert.doesNotMatch(link, JWT);
  await opened(
    async (page) => {
      await page.locator('input[value=polisen]:checked').waitFor();
      const text = await everything(page);
      assert.ok(text.includes('Length') && text.includes('åäö'));
      await run(page);
    },
    { at: link.slice(link.indexOf('#')) },
  );
  assert.equal(new URL(link).search, '', 'a query string would stand in the access logs');
});

test('copied code runs as it is, and gives the same', async () => {
  const child = await childOf('missing');
  const query = 'query Quoted($id: ID!) { # it\'s "quoted" \\ $HOME `x` %s\n  child(id: $id) { identity { givenNames } placement { street } }\n}';
  const room = await mkdtemp(join(tmpdir(), 'samverka-snippets-'));
  const snippets = {};
  let own;
  await opened(async (page) => {
    await become(page, 'skola');
    await page.getByLabel(/Ärende/).fill("Dnr 1' \"2\" $X");
    await write(page, query, { id: child.id });
    await run(page);
    own = await everything(page);
    await page.getByRole('button', { name: 'Kopiera som …' }).click();
    for (const language of ['curl', 'C#', 'Java', 'Python', 'JavaScript']) {
      await page.getByRole('tab', { name: language, exact: true }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Kopiera', exact: true }).click();
      await page.getByRole('button', { name: 'Kopierat' }).waitFor();
      snippets[language] = await page.evaluate(() => navigator.clipboard.readText());
      assert.doesNotMatch(snippets[language], JWT);
      await page.getByRole('dialog').getByRole('button', { name: 'Kopiera', exact: true }).waitFor();
    }
  });
  assert.ok(own.includes('Farhad'));
  const env = { ...process.env, TOKEN: await token('skola') };
  const ran = async (tool, file, ...before) => {
    await writeFile(join(room, file), snippets[{ sh: 'curl', py: 'Python', mjs: 'JavaScript', java: 'Java' }[file.split('.').pop()]]);
    try {
      const { stdout } = await execute(tool, [...before, join(room, file)], { env, cwd: room });
      const answer = JSON.parse(stdout);
      assert.equal(answer.data.child.identity.givenNames, 'Farhad', `${tool}: ${stdout}`);
      assert.equal(answer.data.child.placement.street, null);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
      console.log(`SKIPPED: ${tool} is not installed`);
    }
  };
  try {
    await ran('bash', 'ask.sh');
    await ran('python3', 'ask.py');
    await ran('node', 'ask.mjs');
    await ran('java', 'Ask.java');
  } finally {
    await rm(room, { recursive: true, force: true });
  }
});

test('headers that are set are sent, and those that are not are not', async () => {
  await opened(async (page) => {
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.url().endsWith('/graphql') && (one.postData() ?? '').includes('ChildRecord')),
      (async () => {
        await become(page, 'malmo-soc');
        await page.getByLabel(/Handläggare/).fill('anna-17');
        await page.getByRole('button', { name: /^Kör/ }).click();
      })(),
    ]);
    const headers = request.headers();
    assert.equal(headers['samverka-purpose'], 'PROTECT');
    assert.equal(headers['samverka-user'], 'anna-17');
    assert.equal(headers['samverka-case'], undefined);
    assert.equal(headers.cookie, undefined);
    await answered(page);
  });
});

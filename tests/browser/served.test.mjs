// How the page is served: its headers and codings in the sandbox, and what is there, and not there, in production.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { HUB, token } from './harness.mjs';

/** Asks without a client's manners: paths as they are written, codings as they come. */
const raw = (path, headers = {}, base = HUB) =>
  new Promise((done, fail) => {
    const { hostname, port } = new URL(base);
    const one = request({ hostname, port, path, headers }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }));
    });
    one.on('error', fail);
    one.end();
  });

test('every file of the page comes in every coding, with its tag', async () => {
  const index = await raw('/playground');
  assert.equal(index.status, 200);
  assert.match(index.headers['content-security-policy'], /require-trusted-types-for 'script'; trusted-types 'none'/);
  assert.equal(index.headers['cache-control'], 'no-cache');
  const files = [...index.body.toString().matchAll(/(?:src|href)="(\/playground\/[^"]+)"/g)].map((found) => found[1]);
  assert.ok(files.length >= 3, files.join());
  for (const file of ['/playground', '/playground/licenses.md', ...files]) {
    const tags = new Set();
    for (const coding of ['br', 'gzip', 'identity']) {
      const answer = await raw(file, { 'Accept-Encoding': coding });
      assert.equal(answer.status, 200, file);
      const is = answer.headers['content-encoding'] ?? 'identity';
      assert.ok(is === coding || is === 'identity', `${file}: ${is}`);
      tags.add(answer.headers.etag);
      const again = await raw(file, { 'Accept-Encoding': coding, 'If-None-Match': answer.headers.etag });
      assert.equal(again.status, 304, `${file} in ${coding}`);
      assert.equal(/immutable/.test(answer.headers['cache-control']), file.includes('/assets/'), file);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    }
    if (/\.(js|css)$/.test(file)) assert.equal(tags.size, 3, `${file} has a tag for each coding`);
  }
  for (const path of ['/playground/none', '/playground/../Cargo.toml', '/playground/%2e%2e/Cargo.toml', '/playground/assets/../index.html']) {
    assert.equal((await raw(path)).status, 404, path);
  }
  assert.equal((await raw('/sandbox/personas')).headers['cache-control'], 'no-store');
});

/** A hub in production, with an issuer of our own. */
async function production(playground, use) {
  const room = await mkdtemp(join(tmpdir(), 'samverka-production-'));
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'EdDSA', use: 'sig' };
  await writeFile(join(room, 'keys.json'), JSON.stringify({ keys: [jwk] }));
  await writeFile(
    join(room, 'samverka.toml'),
    `listen = "127.0.0.1:0"\ndatabase = "sqlite:${join(room, 'hub.db')}"\naudience = "https://samverka.example"\nnode = "n1"\nlog = "json"\nplayground = ${playground}\n
[[agency]]\ncode = "malmo-soc"\nkind = "SOCIAL_SERVICES"\nname = "Malmö stad"\norganisation_number = "212000-1124"\nmunicipality = "1280"\n
[[issuer]]\nissuer = "https://idp.example"\nagency = "malmo-soc"\nroles = ["SOCIAL_SERVICES"]\nlongest_life_seconds = 600\njwks_file = "keys.json"\n`,
  );
  const hub = resolve(import.meta.dirname, '../..', process.env.HUB ?? 'target/debug/samverka');
  const env = { ...process.env, DATABASE_URL: `sqlite:${join(room, 'hub.db')}`, RUST_LOG: 'info' };
  await new Promise((done) => spawn(hub, ['migrate', 'up'], { env, cwd: room, stdio: 'ignore' }).on('exit', done));
  const server = spawn(hub, ['serve', '--config', 'samverka.toml'], { env, cwd: room });
  try {
    let said = '';
    const base = await new Promise((done, fail) => {
      const hear = (part) => {
        said += part;
        const found = /127\.0\.0\.1:[1-9]\d*/.exec(said);
        if (found) done(`http://${found[0]}`);
      };
      server.stdout.on('data', hear);
      server.stderr.on('data', hear);
      server.on('exit', () => fail(new Error(`the hub did not start: ${said}`)));
    });
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: 'https://idp.example', aud: 'https://samverka.example', sub: 's', client_id: 'c', role: 'SOCIAL_SERVICES', iat: now, exp: now + 500, jti: `j${now}` };
    const text = `${part({ typ: 'at+jwt', alg: 'EdDSA', kid: 'k1' })}.${part(claims)}`;
    await use(base, `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`);
  } finally {
    server.kill();
    await rm(room, { recursive: true, force: true });
  }
}

test('in production there is no page, no desk and no schema without a token, and a sandbox token is refused', async () => {
  await production(false, async (base) => {
    for (const path of ['/playground', '/playground/config.json', '/sandbox/personas', '/sandbox/token', '/schema.graphql', '/schema.json']) {
      assert.equal((await raw(path, {}, base)).status, 404, path);
    }
    const body = JSON.stringify({ query: '{ __schema { queryType { name } } }' });
    const headers = { 'Content-Type': 'application/json' };
    assert.equal((await fetch(`${base}/graphql`, { method: 'POST', headers, body })).status, 401);
    const sandbox = await fetch(`${base}/graphql`, { method: 'POST', headers: { ...headers, Authorization: `Bearer ${await token('malmo-soc')}` }, body });
    assert.equal(sandbox.status, 401);
    assert.equal((await sandbox.json()).errors[0].extensions.code, 'TOKEN_REFUSED');
  });
});

test('where production asks for the page, it takes a token of the caller and keeps it in memory', async () => {
  await production(true, async (base, own) => {
    assert.equal((await raw('/sandbox/personas', {}, base)).status, 404);
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage();
      const violations = [];
      await page.exposeFunction('__violation', (text) => violations.push(text));
      await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => window.__violation(event.violatedDirective)));
      await page.goto(`${base}/playground`);
      await page.getByText('Det här är produktion.').waitFor();
      assert.equal(await page.locator('.flag').count(), 0, 'it is no sandbox');
      await page.getByLabel('Klistra in din token').fill(own);
      await page.getByRole('button', { name: 'Använd' }).click();
      await page.getByText('SOCIAL_SERVICES').first().waitFor();
      await page.locator('.query-box').getByText('agency').waitFor();
      await page.getByRole('button', { name: /^Kör/ }).click();
      await page.locator('.response-box').getByText('Malmö stad').waitFor();
      assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie), '{}');
      await page.getByRole('button', { name: 'Glöm token' }).click();
      await page.getByLabel('Klistra in din token').waitFor();
      assert.deepEqual(violations, []);
    } finally {
      await browser.close();
    }
  });
});

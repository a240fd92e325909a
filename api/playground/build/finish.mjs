// After Vite: the licences where the page links to them, and two promises that the build must keep: nothing but the
// page's own addresses, and no more than it may weigh.
import { readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync } from 'node:zlib';

const dist = fileURLToPath(new URL('../dist', import.meta.url));
/** In bytes, as brotli 11 makes it. */
const LIMIT = 250_000;
/** What may stand in the files: names of vocabularies, and what descriptions refer to. Nobody fetches them. */
const ALLOWED = [
  /^http:\/\/www\.w3\.org\//,
  /^https:\/\/commonmark\.org\/$/,
  /^https:\/\/en\.wikipedia\.org\/wiki\/IEEE_floating_point$/,
  /^https:\/\/login\.example\//,
];

renameSync(join(dist, '.vite/license.md'), join(dist, 'licenses.md'));
rmSync(join(dist, '.vite'), { recursive: true });

const files = (folder) =>
  readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });

let total = 0;
for (const path of files(dist)) {
  const bytes = readFileSync(path);
  total += brotliCompressSync(bytes).length;
  if (path.endsWith('.md')) continue;
  for (const [address] of bytes.toString().matchAll(/https?:\/\/[^\s"'`)<>\\]*/g)) {
    if (!ALLOWED.some((allowed) => allowed.test(address))) throw new Error(`${path} names ${address}`);
  }
}
if (total > LIMIT) throw new Error(`the page weighs ${total} bytes, compressed; ${LIMIT} is what it may`);
console.log(`dist: ${total} bytes, compressed`);

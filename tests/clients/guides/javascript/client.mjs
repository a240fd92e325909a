// Samverka from JavaScript, with nothing but Node's own fetch: read a child, understand what is withheld, change something.

const HUB = process.env.SAMVERKA_URL ?? 'http://127.0.0.1:8080';
const CHILD = 'child_c58qdn9q4t3a79ora9jhktj4ig'; // "everyday" of GET /sandbox/children; made up, as all children of the sandbox

const READ = `query Read($id: ID!) { child(id: $id) {
  identity { givenNames withheld { field rule legalGround ask } }
  placement { street withheld { field rule legalGround ask } }
  voice { version wishes } } }`;
const UPDATE = `mutation Update($id: ID!, $version: String!, $wishes: String!) {
  updateVoice(childId: $id, expectedVersion: $version, set: { wishes: $wishes }) { child { voice { version wishes } } } }`;

const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));

/** The status, the body and the headers of an answer; an error is an answer, too. */
async function post(path, body, headers = {}) {
  const answer = await fetch(HUB + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  return { status: answer.status, body: await answer.json(), told: answer.headers };
}

/** The hub refused: `code` is stable, the sentences are for people. */
class Refused extends Error {
  constructor({ extensions: { code, sv, remedySv } }) {
    super(`${code}: ${sv} (${remedySv})`);
    this.code = code;
  }
}

/** Asks as one agency in one role, for one purpose. */
class Hub {
  constructor(persona, purpose) {
    Object.assign(this, { persona, purpose, token: null });
  }

  /** The data of an answer. With a key a mutation is made once, however often it is sent. */
  async ask(query, variables, key) {
    for (let attempt = 1; attempt <= 5; attempt++) {
      this.token ??= await this.newToken();
      const headers = { Authorization: `Bearer ${this.token}`, 'Samverka-Purpose': this.purpose };
      if (key) headers['Idempotency-Key'] = `"${key}"`;
      // No answer: nobody knows whether it was made, and the same key makes it harmless to ask again.
      const none = () => ({ status: 503, body: {}, told: new Headers() });
      const { status, body, told } = await post('/graphql', { query, variables }, headers).catch(none);
      if (status === 429 || status === 503) await pause(Number(told.get('retry-after') ?? 1) * attempt);
      else if (status === 401 && body.errors[0].extensions.code === 'TOKEN_EXPIRED') this.token = null;
      else if (body.errors) throw new Refused(body.errors[0]);
      else return body.data;
    }
    throw new Error('the hub does not answer');
  }

  /** In production this is your own issuer's work; see ../production.md. */
  async newToken() {
    const { status, body } = await post('/sandbox/token', { persona: this.persona });
    if (status !== 200) throw new Refused(body.errors[0]);
    return body.token;
  }

  async child() {
    return (await this.ask(READ, { id: CHILD })).child;
  }

  /** Writes from a version that was read; reads again and writes again where somebody else was first. */
  async wish(wishes, version) {
    for (let attempt = 1; attempt <= 3; attempt++) {
      const key = crypto.randomUUID(); // one for each change, kept while it is repeated
      try {
        return (await this.ask(UPDATE, { id: CHILD, version, wishes }, key)).updateVoice.child;
      } catch (refused) {
        if (refused.code !== 'CONFLICT') throw refused;
        const now = (await this.child()).voice;
        console.log(`somebody wrote meanwhile: "${now.wishes}"; look whether your change still holds`);
        version = now.version;
      }
    }
    throw new Error('others write all the time');
  }
}

/** A value; or why it is not shown. Withheld is not empty: a null without an entry holds nothing that you may know of. */
function show(section, field) {
  const why = section.withheld.find((withheld) => withheld.field === field);
  if (why) return `withheld by ${why.rule} (${why.legalGround}); ask ${why.ask}`;
  return section[field] ?? 'nothing that you may know of';
}

const [school, board] = [new Hub('skola', 'SCHOOL'), new Hub('landskrona-soc', 'PROTECT')];
for (const [who, hub] of [['the school', school], ['the board', board]]) {
  const { identity, placement } = await hub.child();
  console.log(`${who}: name: ${show(identity, 'givenNames')}; street: ${show(placement, 'street')}`);
}
const { version } = (await board.child()).voice;
await board.wish('Vill spela fotboll.', version);
const { voice } = await board.wish('Vill spela fotboll och gå i simskola.', version); // from a version that is old by now
console.log(`written: ${voice.wishes}`);
await school.wish('Vill byta skola.', version).catch((refused) => console.log(`the school may not write it: ${refused.message}`));

/** The access log of a child, as the data protection officer reads it, with the receipts of this tab checked against it. */
import { useEffect, useState } from 'preact/hooks';
import { Unreachable, wholeLog } from '../api/http.ts';
import type { GraphQLError, LogEntry, WholeLog } from '../api/types.ts';
import { said } from '../answer/errors.ts';
import { OWN, announce, askAs, keep, nameOfPersona, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { moment } from '../ui/words.ts';
import { type Check, check, readersOf } from './model.ts';

const OFFICER = 'dataskydd';

const LOG = `query Log($child: ID!, $after: String) {
  accessLog(childId: $child, first: 100, after: $after) {
    edges { node { at place requestId agencyId role client user purpose case operation relation shown withheld changed rules policy hash } }
    pageInfo { hasNextPage endCursor }
  }
}`;

const LOOK = `query Look($id: ID!) {
  child(id: $id) {
    identity { givenNames familyName birthDate }
    placement { type street }
    guardianship { guardianName }
    health { criticalNeeds }
  }
}`;

interface Page {
  readonly edges: readonly { readonly node: LogEntry }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

interface Read {
  readonly entries: readonly LogEntry[];
  readonly isWhole: boolean;
  readonly errors: readonly GraphQLError[];
  /** What the hub found when it recomputed the whole log; in production that is a command's to tell. */
  readonly chain: WholeLog | null;
}

/** Pages enough for anybody to look through. */
const PAGES = 5;

async function read(child: string, persona: string): Promise<Read> {
  const rows = await rowsOf(child, persona);
  return { ...rows, chain: persona === OFFICER ? await wholeLog() : null };
}

async function rowsOf(child: string, persona: string): Promise<Omit<Read, 'chain'>> {
  const entries: LogEntry[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES; page += 1) {
    const reply = await askAs(persona, 'AUDIT', { query: LOG, variables: { child, after } });
    keep(persona, reply);
    const told = (reply.body.data as unknown as { accessLog: Page | null } | null | undefined)?.accessLog;
    if (!told) return { entries, isWhole: false, errors: reply.body.errors ?? [] };
    entries.push(...told.edges.map((edge) => edge.node));
    if (!told.pageInfo.hasNextPage) return { entries, isWhole: true, errors: [] };
    after = told.pageInfo.endCursor;
  }
  return { entries, isWhole: false, errors: [] };
}

export function Ledger() {
  const language = useStore(session, (state) => state.language);
  const children = useStore(session, (state) => state.children);
  const personas = useStore(session, (state) => state.personas);
  const isSandbox = useStore(session, (state) => state.config?.sandbox === true);
  const [child, setChild] = useState(children.find((one) => one.key === 'missing')?.id ?? children[0]?.id ?? '');
  const [log, setLog] = useState<Read | null>(null);
  const [checked, setChecked] = useState<Check | null>(null);
  const [looker, setLooker] = useState('malmo-soc');
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState(false);
  const officer = isSandbox ? OFFICER : OWN;

  const act = async (what: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setFailed(false);
    try {
      await what();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      setFailed(true);
    }
    setBusy(false);
  };

  const load = (of: string): Promise<void> =>
    act(async () => {
      const one = await read(of, officer);
      setLog(one);
      setChecked(check(one.entries, session.get().receipts));
    });

  const look = (): Promise<void> =>
    act(async () => {
      const purpose = personas.find((one) => one.code === looker)?.purpose ?? '';
      const known = children.find((one) => one.id === child);
      keep(looker, await askAs(looker, purpose, { query: LOOK, variables: { id: known?.partnerIds[looker] ?? child } }));
      const one = await read(child, officer);
      setLog(one);
      setChecked(check(one.entries, session.get().receipts));
      announce(text('ledgerRowAdded'));
    });

  useEffect(() => {
    setLog(null);
    setChecked(null);
    if (child !== '' && isSandbox) void load(child);
  }, [child]);

  return (
    <section class="ledger" aria-label={text('viewLedger')}>
      <header class="page-head">
        <p class="kicker">{text('ledgerKicker')}</p>
        <h1>{text('ledgerTitle')}</h1>
        <p class="lede">{text('ledgerLede')}</p>
      </header>
      <div class="ledger-controls">
        {isSandbox ? (
          <label>
            <span>{text('child')}</span>
            <select value={child} onChange={(event) => setChild(event.currentTarget.value)}>
              {children.map((one) => (
                <option key={one.key} value={one.id}>
                  {one.about[language]}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault();
              void load(child);
            }}
          >
            <label>
              <span>{text('childId')}</span>
              <input type="text" value={child} onInput={(event) => setChild(event.currentTarget.value)} placeholder="child_…" />
            </label>
          </form>
        )}
        {isSandbox && (
          <>
            <label>
              <span>{text('lookAs')}</span>
              <select value={looker} onChange={(event) => setLooker(event.currentTarget.value)}>
                {personas
                  .filter((one) => one.role !== 'DATA_PROTECTION')
                  .map((one) => (
                    <option key={one.code} value={one.code}>
                      {one.agencyShort}
                    </option>
                  ))}
              </select>
            </label>
            <button type="button" onClick={() => void look()} disabled={busy}>
              {text('look')}
            </button>
          </>
        )}
        <button type="button" class="primary" onClick={() => void load(child)} disabled={busy || child === ''}>
          {text('verify')}
        </button>
      </div>
      {failed && <p class="banner is-bad">{text('noServer')}</p>}
      {log?.errors.map((error, index) => (
        <p key={index} class="banner is-bad">
          {said(error, language).text} {said(error, language).remedy}
        </p>
      ))}
      {checked && log && log.errors.length === 0 && <Proof checked={checked} log={log} />}
      {log && log.errors.length === 0 && <Readers entries={log.entries.filter(isAboutChild)} />}
      {log && log.errors.length === 0 && <Chain log={log} checked={checked} />}
    </section>
  );
}

function Proof({ checked, log: { entries, chain } }: { readonly checked: Check; readonly log: Read }) {
  const matching = checked.receipts.filter((one) => one.verdict === 'matches').length;
  const differing = checked.receipts.filter((one) => one.verdict === 'differs').length;
  const isSound = checked.isSound && chain?.intact !== false;
  return (
    <div class={isSound ? 'proof is-sound' : 'proof is-broken'} role="status">
      <p class="proof-word">
        <span aria-hidden="true">{isSound ? '✓' : '✕'}</span> {text(isSound ? 'proofSound' : 'proofBroken')}
      </p>
      <ul>
        <li>{text('proofRows').replace('{n}', String(entries.length))}</li>
        <li>{text('proofReceipts').replace('{n}', String(matching))}</li>
        {differing > 0 && <li>{text('proofDiffer').replace('{n}', String(differing))}</li>}
        <li>{text(checked.isOrdered ? 'proofOrdered' : 'proofUnordered')}</li>
        {chain && <li class="proof-chain">{text(chain.intact ? 'proofIntact' : 'proofCut').replace('{n}', String(chain.rows ?? 0))}</li>}
      </ul>
      {!chain && (
        <p class="hint">
          {text('proofWhole')} <code>samverka ledger verify</code>
        </p>
      )}
    </div>
  );
}

/** Whether a row is of a look at the child, and not at its log. */
const isAboutChild = (entry: LogEntry): boolean => !entry.operation.includes('accessLog');

/** What an agency is called; only those of the sandbox are known by name. */
function agencyName(id: string): string {
  const known = session.get().personas.find((one) => one.agencyId === id);
  return known ? nameOfPersona(known.code) : id;
}

const roleName = (role: string | null): string =>
  session.get().personas.find((one) => one.role === role)?.roleName[session.get().language] ?? role ?? '–';

function Readers({ entries }: { readonly entries: readonly LogEntry[] }) {
  const readers = readersOf(entries);
  const most = Math.max(1, ...readers.map((one) => one.fields.length));
  if (readers.length === 0) return <p class="empty">{text('ledgerEmpty')}</p>;
  return (
    <section class="readers" aria-label={text('readers')}>
      <h2>{text('readers')}</h2>
      <ul>
        {readers.map((one) => (
          <li key={one.agencyId}>
            <span class="reader-name">
              <strong>{agencyName(one.agencyId)}</strong> <small>{roleName(one.role)}</small>
            </span>
            <span class="reader-bar" aria-hidden="true">
              <i style={{ width: `${(one.fields.length / most) * 100}%` }} />
            </span>
            <span class="reader-count">
              {one.fields.length} {text(one.fields.length === 1 ? 'oneField' : 'fields')}, {one.times} {text(one.times === 1 ? 'oneTime' : 'times')}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Chain({ log, checked }: { readonly log: Read; readonly checked: Check | null }) {
  const [withLog, setWithLog] = useState(false);
  const entries = log.entries.filter((entry) => withLog || isAboutChild(entry));
  const verdicts = new Map(checked?.receipts.map((one) => [one.receipt.place, one.verdict]));
  return (
    <section aria-label={text('rows')}>
      <div class="rows-head">
        <h2>{text('rows')}</h2>
        <label class="check">
          <input type="checkbox" checked={withLog} onChange={(event) => setWithLog(event.currentTarget.checked)} />
          <span>{text('withLogReads')}</span>
        </label>
      </div>
      <ol class="chain">
        {entries.map((entry) => (
          <Link key={entry.place} entry={entry} verdict={verdicts.get(entry.place)} />
        ))}
      </ol>
      {!log.isWhole && <p class="hint">{text('ledgerMore')}</p>}
    </section>
  );
}

function Link({ entry, verdict }: { readonly entry: LogEntry; readonly verdict: string | undefined }) {
  const language = session.get().language;
  return (
    <li class={`link-row ${verdict ?? ''}`}>
      <div class="link-head">
        <time dateTime={entry.at}>{moment(entry.at, language)}</time>
        <strong>{agencyName(entry.agencyId)}</strong>
        <span>{roleName(entry.role)}</span>
        {entry.purpose && <code>{entry.purpose}</code>}
        {verdict === 'matches' && <span class="receipt-ok">✓ {text('receiptOk')}</span>}
        {verdict === 'differs' && <span class="receipt-bad">✕ {text('receiptBad')}</span>}
      </div>
      <details>
        <summary>
          <span class={entry.shown.length > 0 ? 'sign OPEN' : 'sign none'}>
            {text('shownFields')} {entry.shown.length}
          </span>
          <span class={entry.withheld.length > 0 ? 'sign CLOSED' : 'sign none'}>
            {text('withheldFields')} {entry.withheld.length}
          </span>
          {entry.changed.length > 0 && (
            <span>
              {text('changedFields')} {entry.changed.length}
            </span>
          )}
          <code class="hash">{entry.hash.slice(0, 16)}…</code>
        </summary>
        <dl class="facts">
          <Fact name={text('shownFields')} value={entry.shown.join(', ')} />
          <Fact name={text('withheldFields')} value={entry.withheld.join(', ')} />
          <Fact name={text('changedFields')} value={entry.changed.join(', ')} />
          <Fact name={text('rules')} value={entry.rules.join(', ')} />
          <Fact name={text('operation')} value={entry.operation} />
          <Fact name={text('system')} value={entry.client} />
          <Fact name={text('user')} value={entry.user ?? ''} />
          <Fact name={text('caseNumber')} value={entry.case ?? ''} />
          <Fact name={text('trace')} value={entry.requestId} />
          <Fact name={text('placeInChain')} value={entry.place} />
          <Fact name={text('link')} value={entry.hash} />
        </dl>
      </details>
    </li>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  if (value === '') return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The workbench: question, answer, and what helps to write the one and to read the other. */
import { useState } from 'preact/hooks';
import { QueryEditor } from '../editor/query.tsx';
import { VariablesEditor } from '../editor/variables.tsx';
import { leaveExample, next, run, session, stop, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';
import { toFragment } from '../state/link.ts';
import { CopyButton } from '../ui/copy.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { AnswerPanel } from './answer.tsx';
import { Comparison } from './comparison.tsx';
import { Controls } from './controls.tsx';
import { CopyDialog } from './copyas.tsx';
import { Examples } from './examples.tsx';
import { History } from './history.tsx';
import { MyRules } from './myrules.tsx';
import { OwnToken } from './owntoken.tsx';
import { Personas } from './personas.tsx';
import { SchemaBrowser } from './schema.tsx';

export function Ask() {
  const isSandbox = useStore(session, (state) => state.config?.sandbox === true);
  const other = useStore(session, (state) => state.compareWith);
  return (
    <>
      {isSandbox ? <Personas /> : <OwnToken />}
      <Controls />
      <div class={other === '' ? 'bench' : 'bench is-comparing'}>
        {/* The help stands first to the eye where there is room, and last to the keyboard: it holds more than a hundred stops. */}
        <Question />
        {other === '' ? <AnswerPanel /> : <Comparison />}
        <Help />
      </div>
    </>
  );
}

type Shelf = 'rules' | 'examples' | 'schema' | 'history';

function Help() {
  const [shelf, setShelf] = useState<Shelf>('rules');
  const isSandbox = useStore(session, (state) => state.config?.sandbox === true);
  useStore(session, (state) => state.language);
  const tabs: (readonly [Shelf, string])[] = [
    ['rules', text('tabFields')],
    ...(isSandbox ? ([['examples', text('examples')]] as const) : []),
    ['schema', text('schema')],
    ['history', text('history')],
  ];
  return (
    <section class="panel help" aria-label={text('helpPanel')}>
      <h2 class="hidden">{text('helpPanel')}</h2>
      <Tabs label={text('helpPanel')} tabs={tabs} chosen={shelf} onChoose={setShelf}>
        {shelf === 'rules' && <MyRules />}
        {shelf === 'examples' && <Examples />}
        {shelf === 'schema' && <SchemaBrowser />}
        {shelf === 'history' && <History />}
      </Tabs>
    </section>
  );
}

function Question() {
  const running = useStore(session, (state) => state.running);
  const [copying, setCopying] = useState(false);
  useStore(session, (state) => state.language);
  const link = (): string => {
    const { persona, purpose, query, variables } = session.get();
    return `${location.origin}${location.pathname}${toFragment({ persona, purpose, query, variables })}`;
  };
  return (
    <section class="panel question" aria-label={text('query')}>
      <div class="bar">
        {running ? (
          <button type="button" class="primary" onClick={stop}>
            {text('stop')}
          </button>
        ) : (
          <button type="button" class="primary" onClick={() => void run()}>
            {text('run')} <kbd>Ctrl+Enter</kbd>
          </button>
        )}
        <span class="spring" />
        <button type="button" class="quiet" onClick={() => setCopying(true)}>
          {text('copyAs')}
        </button>
        <CopyButton content={link} label={text('copyLink')} kind="quiet" />
      </div>
      <StepBar />
      <div class="query-box">
        <QueryEditor />
      </div>
      <h2 class="bar small">{text('variables')}</h2>
      <div class="variables-box">
        <VariablesEditor />
      </div>
      <p class="editor-help">{text('editorHelp')}</p>
      {copying && <CopyDialog onClose={() => setCopying(false)} />}
    </section>
  );
}

/** Where in an example one is. */
function StepBar() {
  const example = useStore(session, (state) => state.example);
  const running = useStore(session, (state) => state.running);
  const answered = useStore(session, (state) => state.answer !== null);
  const language = useStore(session, (state) => state.language);
  if (!example) return null;
  const { steps, title } = example.of;
  const step = steps[example.step];
  const isLast = example.step + 1 === steps.length;
  return (
    <div class="step-bar">
      <p>
        <strong>{title[language]}</strong>
        {steps.length > 1 && (
          <span class="count">
            {' '}
            {example.step + 1}/{steps.length}
          </span>
        )}
        <br />
        {step?.say[language]}
      </p>
      {!isLast && (
        <button type="button" disabled={running || !answered} onClick={() => void next()}>
          {text('nextStep')}
        </button>
      )}
      <button type="button" class="quiet" onClick={leaveExample}>
        {text('close')}
      </button>
    </div>
  );
}

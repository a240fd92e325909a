/** Questions to begin with. */
import { EXAMPLES } from '../examples/index.ts';
import { begin, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';

export function Examples() {
  const language = useStore(session, (state) => state.language);
  const current = useStore(session, (state) => state.example?.of.key);
  return (
    <ul class="examples">
      {EXAMPLES.map((example) => (
        <li key={example.key}>
          <button type="button" class={example.key === current ? 'example is-chosen' : 'example'} onClick={() => void begin(example)}>
            <strong>
              {example.title[language]}
              {example.steps.length > 1 && (
                <span class="count">
                  {example.steps.length} {text('steps')}
                </span>
              )}
            </strong>
            <span>{example.about[language]}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Who asks: the page's main control. */
import type { Persona } from '../api/types.ts';
import { become, session, text } from '../state/session.ts';
import { useStore } from '../state/store.ts';

/** Which roles stand together. */
const GROUPS = [
  ['groupState', ['MIGRATION', 'POLICE_MISSING', 'POLICE_BORDER']],
  ['groupMunicipality', ['SOCIAL_SERVICES', 'SOCIAL_ON_CALL', 'GUARDIANSHIP']],
  ['groupCare', ['HEALTH', 'SCHOOL', 'CARE_HOME']],
  ['groupPartners', ['PARTNER']],
  ['groupOversight', ['COUNTY_BOARD', 'DATA_PROTECTION', 'SYSTEM_ADMIN']],
] as const;

export function Personas() {
  const personas = useStore(session, (state) => state.personas);
  const chosen = useStore(session, (state) => state.persona);
  useStore(session, (state) => state.language);
  const about = personas.find((one) => one.code === chosen)?.about;
  const language = session.get().language;
  return (
    <section class="personas" aria-label={text('asWho')}>
      <div class="persona-row" role="radiogroup" aria-label={text('asWho')}>
        {GROUPS.map(([name, roles]) => (
          <div class="persona-group" key={name} role="group" aria-label={text(name)}>
            <span class="group-name" aria-hidden="true">
              {text(name)}
            </span>
            <div class="cards">
              {personas
                .filter((one) => (roles as readonly string[]).includes(one.role))
                .map((one) => (
                  <Card key={one.code} persona={one} chosen={one.code === chosen} />
                ))}
            </div>
          </div>
        ))}
      </div>
      {about && <p class="persona-about">{about[language]}</p>}
    </section>
  );
}

function Card({ persona, chosen }: { readonly persona: Persona; readonly chosen: boolean }) {
  return (
    <label class={chosen ? 'card is-chosen' : 'card'}>
      <input type="radio" name="persona" value={persona.code} checked={chosen} onChange={() => void become(persona.code)} />
      <span class="card-words">
        <strong>{persona.agencyShort}</strong>
        <small>{persona.roleName[session.get().language]}</small>
      </span>
    </label>
  );
}

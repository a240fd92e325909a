/** Questions to begin with, by task. Every one of them runs in the sandbox, also the second time. */
import type { Text } from '../api/types.ts';
import * as documents from './documents.ts';

export interface Step {
  readonly persona: string;
  /** Another purpose than the persona's own. */
  readonly purpose?: string;
  readonly say: Text;
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  /** What later steps need, by the place of it in the answer. */
  readonly take?: Readonly<Record<string, string>>;
  readonly compareWith?: string;
  /** The code with which the hub refuses, where that is what the step shows. */
  readonly refused?: string;
}

export interface Example {
  readonly key: string;
  readonly title: Text;
  readonly about: Text;
  readonly steps: readonly [Step, ...Step[]];
}

const step = (persona: string, sv: string, en: string, query: string, more: Omit<Step, 'persona' | 'say' | 'query'> = {}): Step => ({
  persona,
  say: { sv, en },
  query,
  ...more,
});

const example = (key: string, title: Text, about: Text, ...steps: [Step, ...Step[]]): Example => ({ key, title, about, steps });

/** A child of the example's own, so that it can be played again. */
const registered = (said: Text, lead = 'malmo-soc'): Step => ({
  persona: 'migrationsverket',
  say: said,
  query: documents.REGISTER,
  variables: {
    input: {
      leadAgencyId: `{agency:${lead}}`,
      responsibleAgencyId: `{agency:${lead}}`,
      identity: { givenNames: 'Samira', familyName: 'Exempelsson', birthDate: '2010-05-04', sex: 'FEMALE', citizenship: 'AF' },
    },
  },
  take: { child: 'registerChild.child.id' },
});

const REGISTERED: Text = {
  sv: 'Migrationsverket registrerar ett barn. Malmö leder och är ansvarigt.',
  en: 'Migrationsverket registers a child. Malmö leads and is responsible.',
};

/** What the page opens with. */
export const FIRST: Example = example(
  'partner',
  { sv: 'Ett barn, som Rädda Barnen', en: 'One child, as Rädda Barnen' },
  {
    sv: 'Samtycket öppnar en del. Det andra svarar null, och skälet står under värdet.',
    en: 'The consent opens some of it. The rest answers null, and the reason stands below the value.',
  },
  step(
    'radda-barnen',
    'Rädda Barnen läser ett barn som har samtyckt till det. Barnet har ett eget id hos dem.',
    'Rädda Barnen reads a child that has consented to it. To them the child has an id of its own.',
    documents.RECORD,
    { variables: { id: '{child:consented}' } },
  ),
);

export const EXAMPLES: readonly Example[] = [
  FIRST,
  example(
    'every-role',
    { sv: 'Samma barn, två roller', en: 'The same child, two roles' },
    {
      sv: 'Socialnämnden och skolan ställer samma fråga. Byt roll ovanför och se svaret ändras.',
      en: 'The social services board and the school ask the same. Change the role above, and see the answer change.',
    },
    step('malmo-soc', 'Ett försvunnet barn, som Malmö och som skolan.', 'A missing child, as Malmö and as the school.', documents.RECORD, {
      variables: { id: '{child:missing}' },
      compareWith: 'skola',
    }),
  ),
  example(
    'list',
    { sv: 'Sök bland barnen', en: 'Search among the children' },
    {
      sv: 'Urval och ordning följer reglerna: det som är dolt för rollen matchar ingenting.',
      en: 'Filter and order follow the rules: what is withheld from the role matches nothing.',
    },
    step('malmo-soc', 'Barn vars efternamn börjar på ”sa”.', 'Children whose family name begins with “sa”.', documents.LIST, {
      variables: { filter: { familyName: { startsWith: 'sa' } } },
    }),
  ),
  example(
    'handover',
    { sv: 'En överlämning, steg för steg', en: 'A handover, step by step' },
    {
      sv: 'Ansvaret flyttar när mottagaren tar emot, ledningen först när barnet är framme.',
      en: 'Responsibility moves when the receiver accepts, the lead only when the child is there.',
    },
    registered(REGISTERED),
    step('malmo-soc', 'Malmö erbjuder Landskrona ärendet.', 'Malmö offers Landskrona the case.', documents.TRANSFER, {
      variables: { child: '{child}', to: '{agency:landskrona-soc}', at: '{in:6}' },
      take: { handover: 'transferCase.handover.id' },
    }),
    step('landskrona-soc', 'Landskrona ser erbjudandet, men inte barnet.', 'Landskrona sees the offer, and not the child.', documents.OFFER, {
      variables: { handover: '{handover}' },
    }),
    step(
      'landskrona-soc',
      'Landskrona tar emot: nu är det ansvarigt, och läser.',
      'Landskrona accepts: it is responsible now, and reads.',
      documents.ACCEPT,
      { variables: { handover: '{handover}' } },
    ),
    step('malmo-soc', 'Malmö leder fortfarande.', 'Malmö still leads.', documents.RESPONSIBILITY, { variables: { child: '{child}' } }),
    step(
      'landskrona-soc',
      'Landskrona bekräftar ankomsten. Först nu flyttar ledningen.',
      'Landskrona confirms the arrival. Only now the lead moves.',
      documents.ARRIVE,
      { variables: { handover: '{handover}' } },
    ),
  ),
  example(
    'missing',
    { sv: 'Ett barn försvinner', en: 'A child goes missing' },
    {
      sv: 'Ett öppet försvinnande öppnar det som sökandet kräver för dem som söker, och stänger det igen.',
      en: 'An open episode opens what the search needs to those who search, and closes it again.',
    },
    registered(REGISTERED),
    step('malmo-soc', 'Malmö anmäler barnet försvunnet.', 'Malmö reports the child missing.', documents.MISSING, {
      variables: {
        child: '{child}',
        input: {
          lastSeenAt: '{ago:3}',
          lastSeenPlace: 'Malmö central',
          clothing: 'Röd jacka',
          circumstances: 'Kom inte hem från skolan.',
          policeAgencyId: '{agency:polisen}',
        },
      },
      take: { episode: 'reportMissing.episode.id' },
    }),
    step('polisen', 'Polisen ser det som behövs i sökandet.', 'The police see what the search needs.', documents.SEARCHED, {
      variables: { id: '{child}' },
    }),
    step('polisen', 'Polisen hittar barnet.', 'The police find the child.', documents.LOCATED, {
      variables: { child: '{child}', at: '{ago:0}' },
    }),
    step('malmo-soc', 'Malmö bekräftar att barnet är i säkerhet.', 'Malmö confirms that the child is safe.', documents.SAFE, {
      variables: { child: '{child}' },
    }),
  ),
  example(
    'consent',
    { sv: 'Ett samtycke ges och återkallas', en: 'A consent is given and revoked' },
    {
      sv: 'Ett gällande samtycke är det enda som öppnar för en partner. När det återkallas finns barnet inte längre.',
      en: 'Only a live consent opens anything to a partner. Once it is revoked, the child is no more.',
    },
    registered(REGISTERED),
    step(
      'malmo-soc',
      'Malmö släpper in överförmyndaren.',
      'Malmö lets the chief guardian in.',
      documents.INVOLVE,
      { variables: { child: '{child}', agency: '{agency:malmo-overformyndare}' } },
    ),
    step('malmo-overformyndare', 'Överförmyndaren för in samtycket.', 'The chief guardian records the consent.', documents.GRANT, {
      variables: {
        child: '{child}',
        consent: {
          partnerId: '{agency:stadsmissionen}',
          groups: ['identity', 'languages'],
          purpose: 'PROTECT',
          givenBy: 'CHILD',
          giver: 'Samira',
          until: '{day:60}',
        },
      },
      take: { consent: 'grantConsent.consent.id' },
    }),
    step('stadsmissionen', 'Stadsmissionen ser sina samtycken.', 'Stadsmissionen sees its consents.', documents.CONSENTS, {
      take: { own: 'myConsents.0.childId' },
    }),
    step('malmo-overformyndare', 'Samtycket återkallas.', 'The consent is revoked.', documents.REVOKE, { variables: { consent: '{consent}' } }),
  ),
  example(
    'refused',
    { sv: 'En ändring som nekas', en: 'A change that is refused' },
    {
      sv: 'Skolan läser namnet men skriver det inte. Regeln står i felet, och den kan föreslå en rättelse i stället.',
      en: 'The school reads the name and does not write it. The error names the rule, and it may suggest a correction instead.',
    },
    step('skola', 'Skolan läser avsnittets version.', 'The school reads the version of the section.', documents.VERSION, {
      variables: { id: '{child:missing}' },
      take: { version: 'child.identity.version' },
    }),
    step('skola', 'Skolan försöker ändra namnet.', 'The school tries to change the name.', documents.RENAME, {
      variables: { child: '{child:missing}', version: '{version}', set: { givenNames: 'Farhad Ali' } },
      refused: 'FORBIDDEN',
    }),
  ),
  example(
    'unknown',
    { sv: 'Okänt och hemligt ser lika ut', en: 'Unknown and secret look alike' },
    {
      sv: 'Ett id som man inte får känna till och ett som aldrig har funnits ger samma svar.',
      en: 'An id that you may not know and one that never was give the same answer.',
    },
    step('granspolisen', 'Gränspolisen frågar efter ett barn i omsorg.', 'The border police ask for a child in care.', documents.NAME, {
      variables: { id: '{child:everyday}' },
      refused: 'NOT_FOUND',
    }),
  ),
  example(
    'deep',
    { sv: 'En fråga som är för djup', en: 'A question that is too deep' },
    {
      sv: 'Hubben väger frågan innan den körs och säger nej till det som är för djupt, för brett eller för tungt.',
      en: 'The hub weighs a question before it runs, and refuses what is too deep, too wide or too heavy.',
    },
    step('malmo-soc', 'Frågan går runt i schemat.', 'The question goes round in the schema.', documents.DEEP, { refused: 'QUERY_REFUSED' }),
  ),
  example(
    'break-glass',
    { sv: 'En nödöppning', en: 'An emergency access' },
    {
      sv: 'I ett nödläge öppnas uppgifterna i 30 minuter. Varje gång berättas det för andra, och granskas.',
      en: 'An emergency opens a record for 30 minutes. Each use is told to others, and reviewed.',
    },
    registered(REGISTERED),
    step('region-skane', 'Akuten känner inte till barnet.', 'Emergency care does not know the child.', documents.NEEDS, {
      variables: { id: '{child}' },
      refused: 'NOT_FOUND',
    }),
    step('region-skane', 'Akuten nödöppnar.', 'Emergency care opens the record.', documents.BREAK_GLASS, {
      variables: { child: '{child}', reason: 'Barnet kom medvetslöst till akuten utan anhöriga.' },
    }),
    step('region-skane', 'I 30 minuter syns det som behövs för liv och hälsa.', 'For 30 minutes it shows what life and health need.', documents.NEEDS, {
      variables: { id: '{child}' },
    }),
    step('dataskydd', 'Dataskyddsombudet ser nödöppningen.', 'The data protection officer sees the access.', documents.REVIEWS),
  ),
  example(
    'silence',
    { sv: 'Tystnad är ett larm', en: 'Silence is an alarm' },
    {
      sv: 'En ankomst som ingen bekräftar larmar av sig själv. Länsstyrelsen får veta det, men inte vem barnet är.',
      en: 'An arrival that nobody confirms alarms by itself. The county board is told, and not who the child is.',
    },
    step('landskrona-soc', 'Mottagaren ser vilka som är försenade.', 'The receiver sees which are overdue.', documents.OVERDUE),
    step('lansstyrelsen-skane', 'Länsstyrelsen ser mellan vilka, inte vem.', 'The county board sees between whom, not who.', documents.OVERDUE),
  ),
  example(
    'changes',
    { sv: 'Följ ändringarna', en: 'Follow the changes' },
    {
      sv: 'Ett flöde i ordning, beskuret efter dina rättigheter i dag. Spara markören och fråga igen.',
      en: 'A stream in order, cut by your rights of today. Keep the cursor, and ask again.',
    },
    step('malmo-soc', 'De tjugo första.', 'The first twenty.', documents.CHANGES, { take: { cursor: 'changes.cursor' } }),
    step('malmo-soc', 'Vad som har hänt sedan dess.', 'What has happened since.', documents.CHANGES, { variables: { after: '{cursor}' } }),
  ),
  example(
    'log',
    { sv: 'Vem har läst om barnet?', en: 'Who has read about the child?' },
    {
      sv: 'Varje visning lämnar en rad i loggen innan svaret skickas.',
      en: 'Each showing leaves a row in the log before the answer is sent.',
    },
    step('skola', 'Skolan läser.', 'The school reads.', documents.NAME, { variables: { id: '{child:missing}' } }),
    step('dataskydd', 'Dataskyddsombudet ser att skolan har läst.', 'The data protection officer sees that the school has read.', documents.LOG, {
      variables: { child: '{child:missing}' },
    }),
  ),
  example(
    'five-hundred',
    { sv: 'En lång lista', en: 'A long list' },
    {
      sv: 'Samma sida fem gånger. Lika skäl sammanfattas i svaret med en stjärna och ett antal.',
      en: 'The same page five times. The answer sums up equal reasons with a star and a count.',
    },
    step('malmo-soc', 'Upp till fem hundra rader.', 'Up to five hundred rows.', documents.MANY),
  ),
];

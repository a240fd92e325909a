/** What the hub and its sandbox answer, in the shapes of the wire. */

export type Language = 'sv' | 'en';

/** The same in both languages. */
export type Text = Readonly<Record<Language, string>>;

/** Where the page was served from, and what it may ask there. */
export interface Config {
  readonly sandbox: boolean;
  readonly graphql: string;
}

export interface Purpose {
  readonly code: string;
  readonly name: Text;
}

/** An agency of the sandbox in one role. */
export interface Persona {
  readonly code: string;
  readonly agencyId: string | null;
  readonly agency: string;
  readonly agencyShort: string;
  readonly role: string;
  readonly roleName: Text;
  readonly about: Text;
  readonly purpose: string;
  readonly purposes: readonly Purpose[];
}

/** A made-up child that the sandbox points to. */
export interface KnownChild {
  readonly key: string;
  readonly id: string;
  readonly name: string;
  readonly about: Text;
  readonly shows: Text;
  /** Partner organisations know a child by an id of their own. */
  readonly partnerIds: Readonly<Record<string, string>>;
}

export interface Claims {
  readonly agency?: string;
  readonly role?: string;
  readonly iss?: string;
  readonly aud?: string;
  readonly exp?: number;
  readonly [name: string]: unknown;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresIn: number;
  readonly claims: Claims;
}

export type Verb = 'read' | 'write' | 'search' | 'submit';

export interface Rule {
  readonly id: string;
  readonly effect: 'PERMIT' | 'FORBID';
  readonly verbs: readonly string[];
  readonly legalGround: string;
  readonly en: string;
  readonly sv: string;
}

/** A field of the record with the rules that open or close it for one role. */
export interface FieldRules {
  readonly field: string;
  readonly number: string;
  readonly group: string;
  readonly rules: readonly Rule[];
}

export interface ErrorEntry {
  readonly code: string;
  readonly status: number;
  readonly en: string;
  readonly sv: string;
  readonly remedy: string;
  readonly remedySv: string;
}

/** A value that was asked for and withheld; lists are summed up with `*` in the path. */
export interface AccessEntry {
  readonly path: string;
  readonly code: string;
  readonly rule: string;
  readonly count: number;
}

/** Why a field of a section is withheld. */
export interface Withheld {
  readonly field: string;
  readonly number: string;
  readonly rule: string;
  readonly reason: string;
  readonly reasonSv: string;
  readonly legalGround: string;
  readonly ask: string;
  readonly askSv: string;
}

export interface GraphQLError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly extensions?: {
    readonly code?: string;
    readonly sv?: string;
    readonly remedy?: string;
    readonly remedySv?: string;
    readonly rule?: string;
    readonly [name: string]: unknown;
  };
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface Body {
  readonly data?: Json;
  readonly errors?: readonly GraphQLError[];
  readonly extensions?: {
    readonly access?: readonly AccessEntry[];
    readonly cost?: { readonly requested: number; readonly limit: number };
    readonly [name: string]: unknown;
  };
}

/** One turn of a story, and how it stands afterwards. */
export interface Turn {
  readonly minute: number;
  readonly en: string;
  readonly sv: string;
  readonly by: string | null;
  readonly document: string | null;
  readonly lead: string | null;
  readonly responsible: string | null;
  readonly refused: string | null;
  readonly handover: string | null;
  readonly overdue: boolean;
  readonly episode: string | null;
  readonly events: readonly TurnEvent[];
  readonly shown: Readonly<Record<string, readonly string[]>>;
  readonly opened: Readonly<Record<string, readonly string[]>>;
  readonly closed: Readonly<Record<string, readonly string[]>>;
}

export interface TurnEvent {
  readonly to: string;
  readonly kind: string;
  readonly text: Text;
  readonly alarm: boolean;
  readonly count: number;
}

/** Whether the whole access log, recomputed by the hub, holds together. */
export interface WholeLog {
  readonly intact: boolean;
  readonly rows: number | null;
  readonly lanes: number | null;
}

export interface StoryTitle {
  readonly name: string;
  readonly title: Text;
}

/** A row of the access log. */
export interface LogEntry {
  readonly at: string;
  readonly place: string;
  readonly requestId: string;
  readonly agencyId: string;
  readonly role: string | null;
  readonly client: string;
  readonly user: string | null;
  readonly purpose: string | null;
  readonly case: string | null;
  readonly operation: string;
  readonly relation: string | null;
  readonly shown: readonly string[];
  readonly withheld: readonly string[];
  readonly changed: readonly string[];
  readonly rules: readonly string[];
  readonly policy: string;
  readonly hash: string;
}

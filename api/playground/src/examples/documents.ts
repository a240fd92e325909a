/** The documents of the examples. */

export const RECORD = `query ChildRecord($id: ID!) {
  child(id: $id) {
    identity {
      givenNames
      familyName
      birthDate
      citizenship
    }
    responsibility {
      leadAgency { name }
      caseWorkerName
    }
    placement {
      type
      street
    }
    guardianship { guardianName }
    health { criticalNeeds }
    schooling { schoolName }
    network { phones likelyPlaces }
    description { appearance }
    risk { indicators { indicator } }
    safetyPlan { planExists plan }
    missing { isMissing lastSeenPlace }
  }
}
`;

export const LIST = `query Search($filter: ChildFilter) {
  children(filter: $filter, orderBy: { field: FAMILY_NAME, direction: ASC }, first: 20) {
    nodes {
      id
      identity { givenNames familyName birthDate }
      placement { type street }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`;

const five = ['one', 'two', 'three', 'four', 'five'].map((name) => `  ${name}: children(first: 100) { ...Row }`).join('\n');

export const MANY = `{
${five}
}

fragment Row on ChildConnection {
  nodes {
    id
    identity { givenNames familyName }
    placement { type street postalTown }
    missing { isMissing }
  }
}
`;

export const REGISTER = `mutation Register($input: RegisterChildInput!) {
  registerChild(input: $input) {
    child { id identity { givenNames version } }
  }
}
`;

export const TRANSFER = `mutation Transfer($child: ID!, $to: ID!, $at: DateTime!) {
  transferCase(childId: $child, toAgencyId: $to, expectedAt: $at, details: { contactName: "Ada Ek", contactPhone: "+46701740603" }) {
    handover { id state expectedAt next }
  }
}
`;

export const OFFER = `query Offer($handover: ID!) {
  handover(id: $handover) {
    state
    childId
    from { name }
    to { name }
    expectedAt
    details { contactName contactPhone }
    next
  }
}
`;

export const ACCEPT = `mutation Accept($handover: ID!) {
  acceptHandover(handoverId: $handover) {
    handover { state acceptedAt next }
    child { id identity { givenNames familyName birthDate } }
  }
}
`;

export const RESPONSIBILITY = `query WhoAnswers($child: ID!) {
  responsibility(childId: $child) {
    lead { agency { name } from }
    responsible { agency { name } from }
    history { agency { name } from to }
  }
}
`;

export const ARRIVE = `mutation Arrive($handover: ID!) {
  confirmArrival(handoverId: $handover) {
    handover { state arrivedAt receipt { section } }
    child { responsibility { leadAgency { name } } }
  }
}
`;

export const MISSING = `mutation Missing($child: ID!, $input: ReportMissingInput!) {
  reportMissing(childId: $child, input: $input) {
    episode { id state openedAt next }
    minimumReport { text }
  }
}
`;

export const SEARCHED = `query Searched($id: ID!) {
  child(id: $id) {
    identity { givenNames familyName birthDate }
    description { appearance marks clothing }
    network { phones likelyPlaces }
    missing { status lastSeenAt lastSeenPlace clothing }
    health { criticalNeeds }
    asylum { stage }
  }
}
`;

export const LOCATED = `mutation Located($child: ID!, $at: DateTime!) {
  markLocated(childId: $child, at: $at, place: "Lund", condition: "Oskadd") {
    episode { state next }
  }
}
`;

export const SAFE = `mutation Safe($child: ID!) {
  markSafe(childId: $child) {
    episode { state foundAt next }
  }
}
`;

export const INVOLVE = `mutation Involve($child: ID!, $agency: ID!) {
  involveAgency(childId: $child, agencyId: $agency) { child { id } }
}
`;

export const GRANT = `mutation Grant($child: ID!, $consent: ConsentInput!) {
  grantConsent(childId: $child, consent: $consent) {
    consent { id groups fields until state }
  }
}
`;

export const CONSENTS = `{
  myConsents { id childId groups fields purpose until state }
}
`;

export const REVOKE = `mutation Revoke($consent: ID!) {
  revokeConsent(consentId: $consent) { consent { state until } }
}
`;

export const VERSION = `query Version($id: ID!) {
  child(id: $id) { identity { givenNames version } }
}
`;

export const RENAME = `mutation Rename($child: ID!, $version: String!, $set: IdentityPatch!) {
  updateIdentity(childId: $child, expectedVersion: $version, set: $set) {
    child { identity { givenNames } }
  }
}
`;

export const NAME = `query Name($id: ID!) {
  child(id: $id) { identity { givenNames familyName } }
}
`;

export const DEEP = `{
  __schema { types { fields { type { fields { type { fields { type { fields { type { fields { type { fields { name } } } } } } } } } } } } }
}
`;

export const NEEDS = `query Needs($id: ID!) {
  child(id: $id) {
    identity { givenNames birthDate }
    health { criticalNeeds selfHarmAlert }
    guardianship { guardianName guardianPhone }
    asylum { stage }
  }
}
`;

export const BREAK_GLASS = `mutation Emergency($child: ID!, $reason: String!) {
  breakGlass(childId: $child, reason: $reason) { id until reviewBy }
}
`;

export const REVIEWS = `{
  breakGlassReviews(first: 5) {
    edges { node { at agency { name } role user purpose reason until shown reviewedAt } }
  }
}
`;

export const OVERDUE = `{
  overdueHandovers(first: 5) {
    edges { node { id kind from { name } to { name } expectedAt overdueSince } }
  }
}
`;

export const CHANGES = `query Changes($after: String) {
  changes(after: $after, first: 20) {
    nodes { kind at childId sections { section version } handoverId }
    cursor
    hasMore
  }
}
`;

export const LOG = `query Log($child: ID!) {
  accessLog(childId: $child, first: 5) {
    edges { node { at agencyId role purpose operation shown withheld rules hash } }
  }
}
`;

//! Events: what systems are told of a change. No values; who is told what is decided when it is asked for.

use crate::catalogue::{FieldId, FieldSet, Section};
use crate::ids::AgencyId;
use crate::policy::{Engine, Operation, Purpose, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// What an event is about, beside the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The record.
    Record,
    /// A handover.
    Handover,
    /// A missing episode.
    Episode,
    /// An item of a checklist.
    Item,
    /// A consent, a block, an emergency access, something handed in, or a look: their ids are told by their own lists.
    Other,
}

/// Who hears of an event of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    /// Whoever is shown one of its fields, and whom it is addressed to.
    Shown,
    /// Whom it is addressed to.
    Addressed,
    /// As `Addressed`, and not to serve a return.
    Search,
    /// The county boards that it is addressed to, if they may watch over handovers: they are told nothing of the child.
    Watchers,
    /// Whom it is addressed to, and whoever reviews emergency accesses.
    Reviewers,
}

macro_rules! kinds {
    ($($variant:ident $code:literal $topic:ident $audience:ident $numbers:tt $en:literal $sv:literal;)+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventKind { $(#[doc = $en] $variant,)+ }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [EventKind] = &[$(EventKind::$variant,)+];

            /// The code, as in GraphQL and in the database.
            pub const fn code(self) -> &'static str {
                match self { $(EventKind::$variant => $code,)+ }
            }

            /// The kind with this code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.code() == code)
            }

            /// What it is about.
            pub const fn topic(self) -> Topic {
                match self { $(EventKind::$variant => Topic::$topic,)+ }
            }

            /// What it tells, in English and in Swedish.
            pub const fn words(self) -> (&'static str, &'static str) {
                match self { $(EventKind::$variant => ($en, $sv),)+ }
            }

            /// Whether it is a moment that passed without what should have happened.
            pub const fn is_alarm(self) -> bool {
                matches!(
                    self,
                    EventKind::HandoverOverdue
                        | EventKind::HandoverOverdueInCounty
                        | EventKind::EpisodeProposed
                        | EventKind::PoliceReportDue
                        | EventKind::FollowUpDue
                        | EventKind::ItemOverdue
                        | EventKind::BreakGlassUnreviewed
                )
            }

            const fn audience(self) -> Audience {
                match self { $(EventKind::$variant => Audience::$audience,)+ }
            }

            /// The numbers of the fields by which it is known, in the domain's list.
            const fn numbers(self) -> &'static [&'static str] {
                match self { $(EventKind::$variant => &$numbers,)+ }
            }
        }
    };
}

/// What the police's form asks for (DOMAIN 2b), as far as the record holds it: what a report would be prefilled with.
const REPORT: [&str; 18] = [
    "F02", "F03", "F04", "F05", "F10", "F11", "F12", "F13", "F14", "F15", "F30", "F35", "F39", "F40", "F44", "F46",
    "F47", "F48",
];

#[rustfmt::skip]
kinds! {
    ChildRegistered "CHILD_REGISTERED" Record Shown ["F26"]
        "The child was registered" "barnet registrerades";
    SectionChanged "SECTION_CHANGED" Record Shown []
        "Sections of the record changed" "avsnitt ändrades";
    SuggestionMade "SUGGESTION_MADE" Record Shown []
        "A correction was suggested" "rättelse föreslogs";
    SuggestionAccepted "SUGGESTION_ACCEPTED" Record Shown []
        "A suggested correction was accepted" "föreslagen rättelse godtogs";
    SuggestionDeclined "SUGGESTION_DECLINED" Record Shown []
        "A suggested correction was declined" "föreslagen rättelse avslogs";
    MunicipalityAssigned "MUNICIPALITY_ASSIGNED" Handover Shown ["F25"]
        "The child was assigned to a municipality" "barnet anvisades";
    AgencyInvolved "AGENCY_INVOLVED" Other Addressed []
        "An agency was let in that has to do with the child" "en aktör släpptes in";
    InvolvementEnded "INVOLVEMENT_ENDED" Other Addressed []
        "An agency has no more to do with the child" "en aktörs ärende avslutades";
    HandoverProposed "HANDOVER_PROPOSED" Handover Shown ["F28"]
        "A handover was offered" "överlämning erbjöds";
    HandoverAccepted "HANDOVER_ACCEPTED" Handover Shown ["F28"]
        "A handover was accepted" "överlämning godtogs";
    HandoverRefused "HANDOVER_REFUSED" Handover Shown ["F28"]
        "A handover was refused" "överlämning avböjdes";
    HandoverWithdrawn "HANDOVER_WITHDRAWN" Handover Shown ["F28"]
        "A handover was withdrawn" "överlämning återtogs";
    HandoverDeparted "HANDOVER_DEPARTED" Handover Shown ["F28"]
        "The child is on its way" "barnet är på väg";
    HandoverArrived "HANDOVER_ARRIVED" Handover Shown ["F28"]
        "The child arrived, and the receiver confirmed it" "barnet kom fram, mottagaren har bekräftat";
    HandoverNotArrived "HANDOVER_NOT_ARRIVED" Handover Shown ["F28"]
        "The receiver reported that the child did not arrive" "mottagaren anmälde att barnet inte kom fram";
    HandoverRescheduled "HANDOVER_RESCHEDULED" Handover Shown ["F28"]
        "The child is expected at another time" "ny tid för ankomst";
    HandoverClosed "HANDOVER_CLOSED" Handover Shown ["F28"]
        "A handover ended without an arrival" "överlämning avslutades utan ankomst";
    HandoverOverdue "HANDOVER_OVERDUE" Handover Shown ["F28"]
        "The expected arrival has passed, and nobody has confirmed it" "ankomsten är försenad och obekräftad";
    HandoverOverdueInCounty "HANDOVER_OVERDUE_IN_COUNTY" Handover Watchers []
        "A handover in the county is overdue: overdueHandovers tells between whom" "överlämning i länet är försenad";
    EpisodeProposed "EPISODE_PROPOSED" Handover Search REPORT
        "The child has not arrived: report it missing; the sections are those that the report would be filled with" "anmäl barnet försvunnet";
    EpisodeOpened "EPISODE_OPENED" Episode Shown ["F53"]
        "The child was reported missing" "barnet anmäldes försvunnet";
    PoliceReported "POLICE_REPORTED" Episode Shown ["F55"]
        "The police's number of the report was recorded" "polisens diarienummer antecknades";
    PoliceReportDue "POLICE_REPORT_DUE" Episode Search []
        "The police's number of the report is still missing" "polisanmälan saknas";
    SearchUpdated "SEARCH_UPDATED" Episode Shown ["F57"]
        "The police told how the search goes" "läget i eftersökningen uppdaterades";
    SightingRecorded "SIGHTING_RECORDED" Episode Shown ["F58"]
        "A sighting was recorded" "iakttagelse antecknades";
    ChildLocated "CHILD_LOCATED" Episode Shown ["F59"]
        "Somebody knows where the child is" "barnet är lokaliserat";
    ChildSafe "CHILD_SAFE" Episode Shown ["F59"]
        "The child is safe" "barnet är i trygghet";
    FollowUpRecorded "FOLLOW_UP_RECORDED" Episode Shown ["F60"]
        "A part of the follow-up was done" "uppföljning antecknades";
    FollowUpDue "FOLLOW_UP_DUE" Episode Search []
        "The return talk has not been held in time" "återkomstsamtalet dröjer";
    EpisodeClosed "EPISODE_CLOSED" Episode Shown ["F53"]
        "The missing episode was closed" "försvinnandet avslutades";
    EpisodeReopened "EPISODE_REOPENED" Episode Shown ["F53"]
        "The search goes on in a new episode" "eftersökningen återupptogs";
    AgencyClosed "AGENCY_CLOSED" Episode Shown ["F61"]
        "An agency closed its own matter" "en aktör avslutade sitt ärende";
    ItemTicked "ITEM_TICKED" Item Shown ["F54"]
        "An item of a checklist was done" "punkt i checklistan bockades av";
    ItemAssigned "ITEM_ASSIGNED" Item Shown ["F54"]
        "An item of a checklist was assigned" "punkt i checklistan tilldelades";
    ItemSkipped "ITEM_SKIPPED" Item Shown ["F54"]
        "An item of a checklist was skipped" "punkt i checklistan hoppades över";
    ItemOverdue "ITEM_OVERDUE" Item Search ["F54"]
        "An item of a checklist was not done in time" "punkt i checklistan är försenad";
    ConsentGiven "CONSENT_GIVEN" Other Shown ["F62"]
        "A consent was given" "samtycke lämnades";
    ConsentRevoked "CONSENT_REVOKED" Other Shown ["F62"]
        "A consent was withdrawn" "samtycke återkallades";
    PartyBlocked "PARTY_BLOCKED" Other Addressed []
        "A party was kept from the record" "en part spärrades";
    PartyUnblocked "PARTY_UNBLOCKED" Other Addressed []
        "A party was let in again" "en spärr hävdes";
    BreakGlassOpened "BREAK_GLASS_OPENED" Other Reviewers []
        "The record was opened in an emergency" "nödöppning";
    BreakGlassReviewed "BREAK_GLASS_REVIEWED" Other Reviewers []
        "An emergency access was reviewed" "nödöppning granskades";
    BreakGlassUnreviewed "BREAK_GLASS_UNREVIEWED" Other Reviewers []
        "An emergency access was not reviewed in time" "nödöppning är inte granskad i tid";
    SubmissionReceived "SUBMISSION_RECEIVED" Other Search []
        "A worry, a sighting or a tip was handed in" "en oro, en iakttagelse eller ett tips lämnades in";
    SubmissionDecided "SUBMISSION_DECIDED" Other Addressed []
        "It was decided what comes of what was handed in" "beslut om det inlämnade";
    ChildLookedUp "CHILD_LOOKED_UP" Other Search []
        "A missing child was looked up" "ett försvunnet barn slogs upp";
}

/// Whom an event is addressed to, beside those who are shown what it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct To(pub(crate) Option<AgencyId>, pub(crate) Option<AgencyId>);

impl To {
    /// Nobody: it is for those who are shown what it is about.
    pub(crate) const NOBODY: To = To(None, None);

    /// Two agencies, or one where they are the same.
    pub(crate) fn both(one: AgencyId, other: AgencyId) -> Self {
        To(Some(one), (one != other).then_some(other))
    }

    /// Those of some agencies that are there: the first two.
    pub(crate) fn some(agencies: impl IntoIterator<Item = Option<AgencyId>>) -> Self {
        let mut found: Vec<AgencyId> = Vec::new();
        for agency in agencies.into_iter().flatten() {
            if !found.contains(&agency) {
                found.push(agency);
            }
        }
        To(found.first().copied(), found.get(1).copied())
    }

    fn contains(self, agency: AgencyId) -> bool {
        self.0 == Some(agency) || self.1 == Some(agency)
    }
}

impl From<AgencyId> for To {
    fn from(agency: AgencyId) -> Self {
        To(Some(agency), None)
    }
}

impl From<Option<AgencyId>> for To {
    fn from(agency: Option<AgencyId>) -> Self {
        To(agency, None)
    }
}

/// A field that an event concerns; of a placement, in which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(pub(crate) FieldId, pub(crate) Option<Uuid>);

/// The fields that an event concerns, as they are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// By which the kind of the event is known.
    pub(crate) own: BTreeSet<Place>,
    /// What else changed with it.
    pub(crate) changed: BTreeSet<Place>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    own: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changed: Vec<String>,
}

impl Places {
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let text = |Place(id, entry): &Place| match entry {
            None => id.to_string(),
            Some(entry) => format!("{id}/{entry}"),
        };
        let texts = |places: &BTreeSet<Place>| places.iter().map(text).collect();
        serde_json::to_value(Kept { own: texts(&self.own), changed: texts(&self.changed) }).unwrap_or_default()
    }

    /// As it is stored. A field that the catalogue does not have any more concerns nobody.
    pub(crate) fn from_json(json: serde_json::Value) -> Self {
        let Ok(Kept { own, changed }) = serde_json::from_value(json) else { return Places::default() };
        let place = |text: String| match text.split_once('/') {
            None => Some(Place(FieldId::by_path(&text)?, None)),
            Some((path, entry)) => Some(Place(FieldId::by_path(path)?, Some(entry.parse().ok()?))),
        };
        let places = |texts: Vec<String>| texts.into_iter().filter_map(place).collect();
        Places { own: places(own), changed: places(changed) }
    }

    fn all(&self) -> impl Iterator<Item = &Place> {
        self.own.iter().chain(&self.changed)
    }

    /// Whether some of it is in a placement.
    pub(crate) fn has_entries(&self) -> bool {
        self.all().any(|Place(_, entry)| entry.is_some())
    }
}

impl EventKind {
    /// The fields of the catalogue by which it is known. Of those that tell who hears of it none is a flag: most of what a
    /// flag is about does not change it, and where it does change, that is told of by whoever makes the change.
    pub(crate) fn fields(self) -> FieldSet {
        let of_number = |id: &FieldId| self.numbers().contains(&id.field().number);
        FieldId::all().filter(of_number).filter(|id| !self.is_told_by_fields() || !id.field().is_flag()).collect()
    }

    fn is_told_by_fields(self) -> bool {
        self.audience() == Audience::Shown
    }

    /// Whether an address alone is no reason to be told of it: what is told in an episode is for those who are shown that, and
    /// of what happens in it the lead learns what the record shows it.
    fn is_for_whom_it_shows(self) -> bool {
        self.topic() == Topic::Episode && self.is_told_by_fields()
    }

    /// Those of which somebody hears whom they are not addressed to.
    pub(crate) fn of_reviewers() -> impl Iterator<Item = EventKind> {
        Self::ALL.iter().copied().filter(|kind| kind.audience() == Audience::Reviewers)
    }
}

/// What decides on whether an event that is addressed to a caller's agency reaches this caller.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener {
    agency: AgencyId,
    role: Role,
    purpose: Purpose,
    /// It may see which handovers are overdue, without who the child is.
    watches: bool,
    /// It may review emergency accesses.
    pub(crate) reviews: bool,
}

impl Listener {
    pub(crate) fn new(agency: AgencyId, role: Role, purpose: Purpose, engine: &Engine) -> Self {
        let may = |operation| engine.may(operation, role, purpose);
        let (watches, reviews) = (may(Operation::WatchHandovers), may(Operation::ReviewBreakGlass));
        Listener { agency, role, purpose, watches, reviews }
    }

    fn is_addressed(&self, kind: EventKind, to: To) -> bool {
        let named = to.contains(self.agency);
        // Roles that know of no child get what is meant for them, and nothing else.
        let knows_children = !matches!(self.role, Role::CountyBoard | Role::DataProtection | Role::SystemAdmin);
        let returns = self.role == Role::PoliceBorder || self.purpose == Purpose::Return;
        match kind.audience() {
            Audience::Shown | Audience::Addressed => named && knows_children,
            Audience::Search => named && knows_children && !returns,
            Audience::Watchers => named && self.watches,
            Audience::Reviewers => (named && knows_children && !returns) || self.reviews,
        }
    }
}

/// What one caller is told of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) kind: EventKind,
    /// The sections of which it is shown a field that the event concerns.
    pub(crate) sections: BTreeSet<Section>,
    /// The id of what it is about may be told.
    pub(crate) tells_about: bool,
}

/// What a caller is told, if anything. `shows` says of a field whether the caller is shown it now; there is none where the
/// caller may not know of the child.
pub(crate) fn heard(
    listener: &Listener,
    (kind, to): (EventKind, To),
    places: &Places,
    shows: Option<impl Fn(Place) -> bool>,
) -> Option<Heard> {
    let seen = |places: &BTreeSet<Place>| match &shows {
        Some(shows) => places.iter().copied().filter(|place| shows(*place)).collect(),
        None => BTreeSet::new(),
    };
    let (own, changed) = (seen(&places.own), seen(&places.changed));
    let public = kind.is_told_by_fields();
    let addressed = listener.is_addressed(kind, to) && !(kind.is_for_whom_it_shows() && own.is_empty());
    let sections = |places: BTreeSet<Place>| places.into_iter().map(|Place(id, _)| id.field().section).collect();
    if addressed || (public && !own.is_empty()) {
        // A handover is between its parties; an episode is known to whoever is shown it.
        let tells_about = match kind.topic() {
            Topic::Handover => addressed && kind.audience() != Audience::Watchers,
            Topic::Episode => shows.is_some(),
            Topic::Item => addressed && shows.is_some(),
            Topic::Record | Topic::Other => false,
        };
        return Some(Heard { kind, sections: sections(own.union(&changed).copied().collect()), tells_about });
    }
    (public && !changed.is_empty()).then(|| Heard {
        kind: EventKind::SectionChanged,
        sections: sections(changed),
        tells_about: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn listener(role: Role, purpose: Purpose) -> Listener {
        Listener::new(AgencyId(Uuid::from_u128(1)), role, purpose, Engine::embedded())
    }

    fn field(path: &str) -> Place {
        Place(FieldId::by_path(path).expect("a field"), None)
    }

    fn told(listener: &Listener, kind: EventKind, to: To, places: &Places, shown: Option<&[Place]>) -> Option<Heard> {
        heard(listener, (kind, to), places, shown.map(|shown| |place| shown.contains(&place)))
    }

    #[test]
    fn every_kind_has_a_code_of_its_own_and_words() {
        let mut codes = HashSet::new();
        for kind in EventKind::ALL {
            assert!(codes.insert(kind.code()), "{} is there twice", kind.code());
            assert_eq!(EventKind::from_code(kind.code()), Some(*kind));
            let (en, sv) = kind.words();
            assert!(!en.is_empty() && !sv.is_empty() && !en.ends_with('.'), "{kind:?}");
        }
    }

    #[test]
    fn places_read_back_and_what_is_unknown_is_left_out() {
        let entry = Some(Uuid::from_u128(5));
        let own = BTreeSet::from([field("voice.wishes")]);
        let changed = BTreeSet::from([Place(field("placement.street").0, entry), field("risk.indicators")]);
        let places = Places { own, changed };
        assert_eq!(Places::from_json(places.to_json()), places);
        let older = serde_json::json!({ "own": ["voice.gone", "nowhere.wishes", "placement.street/x"] });
        assert_eq!(Places::from_json(older), Places::default());
    }

    #[test]
    fn a_hidden_change_is_not_heard_of_and_a_partly_hidden_one_tells_of_the_rest() {
        let board = listener(Role::SocialServices, Purpose::Protect);
        let (own, other) = (field("voice.wishes"), field("risk.indicators"));
        let places = Places { own: [own].into(), changed: [other].into() };
        let kind = EventKind::SuggestionAccepted;
        assert_eq!(told(&board, kind, To::NOBODY, &places, None), None);
        assert_eq!(told(&board, kind, To::NOBODY, &places, Some(&[])), None);
        let heard = told(&board, kind, To::NOBODY, &places, Some(&[other])).expect("told");
        assert_eq!((heard.kind, heard.sections), (EventKind::SectionChanged, [Section::Risk].into()));
        let heard = told(&board, kind, To::NOBODY, &places, Some(&[own])).expect("told");
        assert_eq!((heard.kind, heard.sections), (kind, [Section::Voice].into()));
    }

    #[test]
    fn what_is_addressed_reaches_whom_it_is_for_and_nobody_else() {
        let me = To::from(AgencyId(Uuid::from_u128(1)));
        let other = To::from(AgencyId(Uuid::from_u128(2)));
        let none = Places::default();
        let reaches = |role, purpose, kind, to| told(&listener(role, purpose), kind, to, &none, None).is_some();
        let board = (Role::SocialServices, Purpose::Protect);
        for kind in EventKind::ALL.iter().copied() {
            assert!(!reaches(board.0, board.1, kind, other), "{kind:?}");
            let watchers = kind == EventKind::HandoverOverdueInCounty;
            let by_address = !watchers && !kind.is_for_whom_it_shows();
            assert_eq!(reaches(board.0, board.1, kind, me), by_address, "{kind:?}");
            assert_eq!(reaches(Role::CountyBoard, Purpose::Stat, kind, me), watchers, "{kind:?}");
            let reviewed = EventKind::of_reviewers().any(|reviewed| reviewed == kind);
            assert_eq!(reaches(Role::DataProtection, Purpose::Audit, kind, other), reviewed, "{kind:?}");
            assert!(!reaches(Role::SystemAdmin, Purpose::Audit, kind, me), "{kind:?}");
        }
        for kind in [EventKind::ChildLookedUp, EventKind::EpisodeProposed, EventKind::SubmissionReceived] {
            assert!(!reaches(Role::Migration, Purpose::Return, kind, me), "{kind:?}");
            assert!(!reaches(Role::PoliceBorder, Purpose::Protect, kind, me), "{kind:?}");
        }
    }

    #[test]
    fn whoever_does_not_know_the_child_gets_no_section_of_it() {
        let me = listener(Role::SocialServices, Purpose::Protect);
        let places = Places { own: [field("voice.wishes")].into(), changed: BTreeSet::new() };
        let heard = told(&me, EventKind::HandoverProposed, To::from(me.agency), &places, None).expect("told");
        assert!(heard.sections.is_empty() && heard.tells_about);
    }
}

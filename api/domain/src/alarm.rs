//! What happens when a moment comes by which something should have happened: silence is an alarm. A table, and nothing that
//! knows the time or the database.

use crate::feed::{EventKind, To};
use crate::ids::AgencyId;

macro_rules! alarms {
    ($($variant:ident $about:literal $step:literal $doc:literal;)+) => {
        /// An alarm: what a deadline watches, and which of its steps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Alarm { $(#[doc = $doc] $variant,)+ }

        impl Alarm {
            #[cfg(test)]
            const ALL: &'static [Alarm] = &[$(Alarm::$variant,)+];

            /// What it watches, and the step: as the database has them.
            #[cfg(test)]
            const fn codes(self) -> (&'static str, &'static str) {
                match self { $(Alarm::$variant => ($about, $step),)+ }
            }

            /// The alarm of a deadline.
            pub(crate) fn of(about: &str, step: &str) -> Option<Self> {
                match (about, step) {
                    $(($about, $step) => Some(Alarm::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

alarms! {
    HandoverOverdue "HANDOVER" "OVERDUE" "Both parties are told that the child is expected and that nobody has confirmed its arrival.";
    HandoverCounty "HANDOVER" "COUNTY" "The coordinators of both counties are told, without who the child is.";
    HandoverEpisode "HANDOVER" "EPISODE" "Both parties are told to report the child missing; nothing is opened by itself.";
    ItemOverdue "ITEM" "OVERDUE" "The responsible agency and the assignee are told that an item of a checklist was not done in time.";
    BreakGlassReview "BREAK_GLASS" "REVIEW" "Data protection is told that an emergency access was not reviewed in time.";
    EpisodePoliceReport "EPISODE" "POLICE_REPORT" "The responsible agency and whoever reported the child missing are told that the number of the police is missing.";
    EpisodeReturnTalk "EPISODE" "RETURN_TALK" "The responsible agency and the lead are told that the return talk has not been held.";
}

/// What a deadline watches, as it is when its moment has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Facts {
    /// It waits for nothing any more: the handover, item, episode or review is done, or it is not there.
    pub(crate) is_done: bool,
    /// The child is known to be missing.
    pub(crate) is_missing: bool,
    /// The child was found, in this episode.
    pub(crate) is_found: bool,
    /// The two agencies that it concerns first: the parties of a handover; an item's assignee; who opened an episode.
    pub(crate) parties: To,
    /// The agency that leads.
    pub(crate) lead: Option<AgencyId>,
    /// The agency that is legally responsible.
    pub(crate) responsible: Option<AgencyId>,
}

/// What an alarm comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ring {
    pub(crate) kind: EventKind,
    pub(crate) to: To,
    /// The handover is overdue from now.
    pub(crate) marks_overdue: bool,
}

impl Alarm {
    /// What happens; nothing where what was waited for has happened. `county_board` gives the coordinator of the county that an
    /// agency is in, if it is in one.
    pub(crate) fn ring(self, facts: &Facts, county_board: impl Fn(AgencyId) -> Option<AgencyId>) -> Option<Ring> {
        if facts.is_done {
            return None;
        }
        let Facts { is_missing, is_found, parties, lead, responsible, .. } = *facts;
        let county = |party: Option<AgencyId>| party.and_then(&county_board);
        let (kind, to) = match self {
            Alarm::HandoverOverdue => (EventKind::HandoverOverdue, parties),
            // The county that receives comes first.
            Alarm::HandoverCounty => {
                (EventKind::HandoverOverdueInCounty, To::some([county(parties.1), county(parties.0)]))
            }
            Alarm::HandoverEpisode if is_missing => return None,
            Alarm::HandoverEpisode => (EventKind::EpisodeProposed, parties),
            Alarm::ItemOverdue => (EventKind::ItemOverdue, To::some([responsible.or(lead), parties.0])),
            Alarm::BreakGlassReview => (EventKind::BreakGlassUnreviewed, To::NOBODY),
            Alarm::EpisodePoliceReport if is_found => return None,
            Alarm::EpisodePoliceReport => (EventKind::PoliceReportDue, To::some([responsible.or(lead), parties.0])),
            Alarm::EpisodeReturnTalk => (EventKind::FollowUpDue, To::some([responsible, lead])),
        };
        Some(Ring { kind, to, marks_overdue: self == Alarm::HandoverOverdue })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn agency(n: u128) -> AgencyId {
        AgencyId(Uuid::from_u128(n))
    }

    fn facts() -> Facts {
        let parties = To::both(agency(1), agency(2));
        Facts { parties, lead: Some(agency(1)), responsible: Some(agency(3)), ..Facts::default() }
    }

    /// Odd agencies are in the county of agency 11, even ones in that of agency 12.
    fn board(of: AgencyId) -> Option<AgencyId> {
        Some(agency(if of.0.as_u128() % 2 == 1 { 11 } else { 12 }))
    }

    #[test]
    fn an_alarm_is_found_by_its_codes() {
        for alarm in Alarm::ALL {
            let (about, step) = alarm.codes();
            assert_eq!(Alarm::of(about, step), Some(*alarm));
        }
        assert_eq!(Alarm::of("HANDOVER", "REVIEW"), None);
    }

    #[test]
    fn each_alarm_reaches_whom_it_is_for() {
        let rings: Vec<(EventKind, To)> = Alarm::ALL
            .iter()
            .filter_map(|alarm| alarm.ring(&facts(), board))
            .map(|ring| (ring.kind, ring.to))
            .collect();
        let expected = [
            (EventKind::HandoverOverdue, To::both(agency(1), agency(2))),
            (EventKind::HandoverOverdueInCounty, To::both(agency(12), agency(11))),
            (EventKind::EpisodeProposed, To::both(agency(1), agency(2))),
            (EventKind::ItemOverdue, To::both(agency(3), agency(1))),
            (EventKind::BreakGlassUnreviewed, To::NOBODY),
            (EventKind::PoliceReportDue, To::both(agency(3), agency(1))),
            (EventKind::FollowUpDue, To::both(agency(3), agency(1))),
        ];
        assert_eq!(rings, expected);
        let alarms: Vec<EventKind> = EventKind::ALL.iter().copied().filter(|kind| kind.is_alarm()).collect();
        assert!(rings.iter().all(|(kind, _)| alarms.contains(kind)) && alarms.len() == rings.len());
        let marked = |alarm: &&Alarm| alarm.ring(&facts(), board).is_some_and(|ring| ring.marks_overdue);
        assert_eq!(Alarm::ALL.iter().filter(marked).collect::<Vec<_>>(), [&Alarm::HandoverOverdue]);
    }

    #[test]
    fn what_has_happened_rings_nothing() {
        let done = Facts { is_done: true, ..facts() };
        assert!(Alarm::ALL.iter().all(|alarm| alarm.ring(&done, board).is_none()));
        assert_eq!(Alarm::HandoverEpisode.ring(&Facts { is_missing: true, ..facts() }, board), None);
        assert_eq!(Alarm::EpisodePoliceReport.ring(&Facts { is_found: true, ..facts() }, board), None);
    }

    #[test]
    fn one_county_is_told_once_and_none_where_there_is_none() {
        let same = Alarm::HandoverCounty.ring(&facts(), |_| Some(agency(9))).expect("it rings");
        assert_eq!(same.to, To::from(agency(9)));
        let none = Alarm::HandoverCounty.ring(&facts(), |_| None).expect("it rings");
        assert_eq!(none.to, To::NOBODY);
    }
}

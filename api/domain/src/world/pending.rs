//! What waits for somebody, as the steps of the protocols would have left it: moments by which something must have happened, an
//! emergency access that nobody has reviewed, and what was handed in.

use super::plan::Stage;
use super::{DAY, Deadline, Emergency, HOUR, HandedIn, Identifier, ListRow, MINUTE, Story, texts};
use crate::catalogue::{IdentifierKind, List, Value};
use crate::emergency;
use crate::episode::{POLICE_REPORT_WITHIN, RETURN_TALK_WITHIN};
use crate::handover::Kind;
use crate::policy::{Purpose, Role};
use crate::submission::{Feedback, Kind as Handed, State};
use serde_json::{Value as Json, json};

impl Story<'_> {
    /// Every alarm that is set: of handovers that are open, of items that nobody has done, of episodes, of emergency accesses.
    pub(super) fn deadlines(&mut self, entries: &[ListRow], emergencies: &[Emergency]) -> Vec<Deadline> {
        let mut due = Vec::new();
        for row in entries {
            match row.list {
                List::Handovers => due.extend(of_handover(row)),
                List::Checklist => due.extend(of_item(row)),
                _ => {}
            }
        }
        for missing in &self.life.missing {
            match (missing.found, missing.closed) {
                (None, None) => {
                    due.push(("EPISODE", missing.id, "POLICE_REPORT", missing.opened + POLICE_REPORT_WITHIN));
                }
                (Some(found), None) => due.push(("EPISODE", missing.id, "RETURN_TALK", found + RETURN_TALK_WITHIN)),
                _ => {}
            }
        }
        due.extend(emergencies.iter().map(|opened| ("BREAK_GLASS", opened.id, "REVIEW", opened.review_by)));
        let row = |(about, about_id, step, due_at)| Deadline { id: self.dice.id(), about, about_id, step, due_at };
        due.into_iter().map(row).collect()
    }

    /// The emergency ward of the region opened the record of some who have just arrived: it had no matter of its own.
    pub(super) fn emergencies(&mut self) -> Vec<Emergency> {
        let is_one_of_some = self.plan.stage == Stage::Arrival && self.index.is_multiple_of(20);
        if !self.plan.emergency && !is_one_of_some {
            return Vec::new();
        }
        let opened_at = (self.now - 2 * HOUR).max(self.life.registered);
        vec![Emergency {
            id: self.dice.id(),
            agency: self.diary.agency("region-skane"),
            role: Role::Health,
            purpose: Purpose::Health,
            reason: "Barnet kom medvetslöst till akuten utan någon vuxen.",
            opened_at,
            until: opened_at + emergency::LASTS,
            review_by: emergency::review_by(opened_at),
        }]
    }

    /// What a school and organisations have handed in: about this child, and about one that nobody can name.
    pub(super) fn handed_in(&mut self, numbers: &[Identifier]) -> Vec<HandedIn> {
        let mut all = Vec::new();
        let dossier = numbers.iter().find(|number| number.kind == IdentifierKind::DossierNumber);
        let named =
            dossier.map_or_else(|| json!({}), |number| json!({ "identifier": [number.kind.code(), number.value] }));
        if self.plan.school && self.index.is_multiple_of(3) {
            let given = self.later(self.school_start(), 5..60);
            let decided = (State::Concern, (given + DAY).min(self.now), self.board_at(given));
            let text = self.dice.pick(&texts::CONCERNS);
            all.extend(self.about_this(("skola", Role::School, Handed::Concern), &named, given, text, Some(decided)));
        }
        if self.plan.school && self.index % 6 == 4 {
            let text = self.dice.pick(&texts::CONCERNS);
            let given = self.recently();
            all.extend(self.about_this(("skola", Role::School, Handed::Concern), &named, given, text, None));
        }
        if self.plan.stage == Stage::MissingNow {
            let text = self.dice.pick(&texts::SIGHTINGS);
            let given = self.recently();
            let from = ("stadsmissionen", Role::Partner, Handed::Sighting);
            all.extend(self.about_this(from, &named, given, text, None));
        }
        if self.index % 20 == 7 {
            let unnamed = json!({ "name": "Ali", "description": "Omkring 15 år, grå luvtröja, talar dari." });
            let given = self.recently();
            let text = "En pojke sover i källaren hos oss och säger att han inte vågar åka tillbaka.";
            all.push(self.original(("radda-barnen", Role::Partner, Handed::Tip), unnamed, given, text));
        }
        all
    }

    /// Some minutes ago, and after the child is known.
    fn recently(&mut self) -> i64 {
        (self.now - self.dice.range(10 * MINUTE..90 * MINUTE)).max(self.life.registered)
    }

    /// What came, and the copy on the desk of those who answer for the child.
    fn about_this(
        &mut self,
        from: (&str, Role, Handed),
        named: &Json,
        at: i64,
        text: &'static str,
        decided: Option<(State, i64, &'static str)>,
    ) -> [HandedIn; 2] {
        let mut came = self.original(from, named.clone(), at, text);
        if let Some((state, when, by)) = decided {
            came.state = state;
            came.feedback = Some(Feedback::InquiryOpened);
            came.decided = Some((when, self.diary.agency(by)));
        }
        let copy = HandedIn { id: self.dice.id(), is_matched: true, copy_of: Some(came.id), ..came.clone() };
        [came, copy]
    }

    fn original(
        &mut self,
        (by, role, kind): (&str, Role, Handed),
        named: Json,
        at: i64,
        text: &'static str,
    ) -> HandedIn {
        HandedIn {
            id: self.dice.id(),
            kind,
            at,
            agency: self.diary.agency(by),
            role,
            is_matched: false,
            named,
            municipality: self.life.towns.1.municipality,
            seen_at: kind.helps_a_search().then(|| at - MINUTE),
            place: (kind == Handed::Sighting).then(|| self.dice.pick(&texts::PLACES)),
            text,
            state: State::Open,
            feedback: None,
            decided: None,
            copy_of: None,
        }
    }
}

type Due = (&'static str, uuid::Uuid, &'static str, i64);

/// The three steps of a handover that is open.
fn of_handover(row: &ListRow) -> Vec<Due> {
    let instant = |column| row.instant(column);
    let kind = row.value("kind").and_then(|kind| Kind::from_code(kind.to_json().as_str()?));
    let open = instant("expected_at").zip(kind).filter(|_| instant("ended_at").is_none());
    let Some((expected, kind)) = open else { return Vec::new() };
    let alarms = kind.terms().alarms;
    let steps = [("OVERDUE", 0), ("COUNTY", alarms.county), ("EPISODE", alarms.episode)];
    steps.map(|(step, after)| ("HANDOVER", row.id, step, expected + after)).to_vec()
}

/// The moment of an item that is open.
fn of_item(row: &ListRow) -> Option<Due> {
    let is_open = row.value("state") == Some(&Value::Text("OPEN".to_owned()));
    let due = row.instant("due_at").filter(|_| is_open)?;
    Some(("ITEM", row.id, "OVERDUE", due))
}

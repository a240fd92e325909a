//! What the steps of protocols left behind: missing episodes with what belongs to them, and handovers.

use super::diary::{text, yes};
use super::life::Missing;
use super::plan::Stage;
use super::{DAY, HOUR, ListRow, MINUTE, Story, texts};
use crate::catalogue::{List, Value};
use serde_json::json;
use uuid::Uuid;

const POLICE: &str = "polisen";

fn at(micros: i64) -> Option<Value> {
    Some(Value::Instant(micros))
}

impl Story<'_> {
    /// What each agency wrote of the episodes.
    pub(super) fn write_missing(&mut self) {
        for missing in self.life.missing.clone() {
            let reporter = self.reporter(&missing);
            self.write_report(&missing, reporter);
            self.write_search(&missing);
            self.write_found(&missing, reporter);
        }
    }

    /// The home that the child is missing from, if it is in the hub: or else the board.
    fn reporter(&self, missing: &Missing) -> &'static str {
        let home = self.life.stay_at(missing.opened).and_then(|stay| stay.agency());
        home.unwrap_or_else(|| self.board_at(missing.opened))
    }

    fn write_report(&mut self, missing: &Missing, reporter: &str) {
        let seen = missing.opened - self.dice.range(HOUR..4 * HOUR);
        let stated = vec![
            ("status", text("SUSPECTED")),
            ("since", at(missing.opened)),
            ("lastSeenAt", at(seen)),
            ("lastSeenPlace", text(self.dice.pick(&texts::SEEN_AT))),
            ("clothing", text("Mörk jacka, jeans och vita skor")),
            ("circumstances", text(self.dice.pick(&texts::CIRCUMSTANCES))),
        ];
        self.diary.write_episode(missing.opened, reporter, missing.id, stated);
        let number = format!("5000-K{}-26", 100_000 + self.index % 900_000);
        let stated = vec![
            ("status", text("REPORTED")),
            ("policeNumber", text(number)),
            ("policeReference", text(format!("Ärende {}", 100 + self.index % 900))),
            ("policeContact", text("Polisens kontaktcenter, 114 14")),
        ];
        self.diary.write_episode(missing.opened + HOUR, reporter, missing.id, stated);
    }

    fn write_search(&mut self, missing: &Missing) {
        let stated = vec![
            ("status", text("SEARCHING")),
            ("wantedEntry", yes(true)),
            ("policeAssessment", text(self.dice.pick(&texts::ASSESSMENTS))),
            ("policeMeasures", text(self.dice.pick(&texts::MEASURES))),
        ];
        self.diary.write_episode(missing.opened + 3 * HOUR, POLICE, missing.id, stated);
    }

    fn write_found(&mut self, missing: &Missing, reporter: &str) {
        let Some(found) = missing.found else { return };
        let stated = vec![
            ("status", text("SAFE")),
            ("locatedAt", at(found - HOUR / 2)),
            ("foundAt", at(found)),
            ("foundPlace", text(self.dice.pick(&texts::PLACES))),
            ("foundCondition", text(self.dice.pick(&texts::CONDITIONS))),
        ];
        self.diary.write_episode(found, reporter, missing.id, stated);
        self.diary.write_episode(found + HOUR, POLICE, missing.id, vec![("wantedEntry", yes(false))]);
        if let Some(closed) = missing.closed {
            let stated = vec![
                ("status", text("CLOSED")),
                ("closedAt", at(closed)),
                ("closedReason", text("Uppföljningen är gjord.")),
            ];
            let board = self.board_at(closed);
            self.diary.write_episode(closed, board, missing.id, stated);
        }
    }

    /// The rows of lists.
    pub(super) fn entries(&mut self) -> Vec<ListRow> {
        let mut all = self.handovers();
        for missing in self.life.missing.clone() {
            all.extend(self.checklist(&missing));
            all.extend(self.sightings(&missing));
            all.extend(self.follow_up(&missing));
        }
        all
    }

    fn agency(&self, code: &str) -> Value {
        Value::Agency(self.diary.agency(code))
    }

    fn handovers(&mut self) -> Vec<ListRow> {
        let (life, now) = (&self.life, self.now);
        let [first, second] = [life.towns.0.board, life.towns.1.board];
        let from = if life.board_leads.is_some() { first } else { "migrationsverket" };
        let crosses = !std::ptr::eq(life.towns.0, life.towns.1) || self.plan.stage == Stage::Assigned;
        let assignment = life.assigned.filter(|_| crosses).map(|at| ("ASSIGNMENT", from, second, at, life.moved));
        let lead = if life.moved.is_some() { second } else { first };
        let transfer = life.handover.map(|at| ("CASE_TRANSFER", lead, life.receiver().board, at, None));
        let made = [assignment, transfer].into_iter().flatten().collect::<Vec<_>>();
        // So long ago that the coordinators of the counties are told, and not so long that the child counts as missing; of some
        // others silence is about to be an alarm.
        let expected = match (self.plan.overdue, self.index % 10) {
            (true, _) => now - 5 * HOUR,
            (false, 8) => now - HOUR,
            _ => now + 2 * DAY,
        };
        let departed = self.plan.overdue.then_some(expected - HOUR);
        let row = |(kind, from, to, proposed, arrived): (&str, &str, &str, i64, Option<i64>)| {
            let state = match (arrived, departed) {
                (Some(_), _) => "ARRIVED",
                (None, Some(_)) => "TRAVELLING",
                (None, None) => "ACCEPTED",
            };
            let mut values = vec![
                ("kind", Value::Text(kind.to_owned())),
                ("moves", Value::Text("LEAD".to_owned())),
                ("state", Value::Text(state.to_owned())),
                ("from_agency_id", self.agency(from)),
                ("proposer_agency_id", self.agency(from)),
                ("urgent", Value::Bool(false)),
                ("to_agency_id", self.agency(to)),
                ("proposed_at", Value::Instant(proposed)),
                ("accepted_at", Value::Instant((proposed + HOUR / 2).min(now))),
                ("expected_at", Value::Instant(arrived.unwrap_or(expected.max(proposed + HOUR)))),
                (
                    "details",
                    Value::Json(json!({ "contactName": "Mottagningen, dagtid", "contactPhone": "+46701740605" })),
                ),
            ];
            if let Some(departed) = departed.filter(|_| arrived.is_none()) {
                values.push(("departed_at", Value::Instant(departed)));
            }
            if let Some(arrived) = arrived {
                values.push(("departed_at", Value::Instant((arrived - 3 * HOUR).max(proposed))));
                values.extend([("arrived_at", Value::Instant(arrived)), ("ended_at", Value::Instant(arrived))]);
            }
            (List::Handovers, values)
        };
        let rows: Vec<_> = made.into_iter().map(row).collect();
        rows.into_iter().map(|(list, values)| self.entry(list, values)).collect()
    }

    fn entry(&mut self, list: List, values: Vec<(&'static str, Value)>) -> ListRow {
        ListRow { list, id: self.dice.id(), values }
    }

    fn checklist(&mut self, missing: &Missing) -> Vec<ListRow> {
        let reporter = self.reporter(missing);
        let found = missing.found.map(|found| found + DAY).filter(|done| *done <= self.now);
        let items = [
            ("MISSING", "CARE_HOME", 0, missing.opened + HOUR / 2, Some((missing.opened + 10 * MINUTE, reporter))),
            ("MISSING", "CARE_HOME", 1, missing.opened + DAY, Some((missing.opened + HOUR, reporter))),
            (
                "FOUND",
                "SOCIAL_SERVICES",
                2,
                missing.found.unwrap_or_default() + 3 * DAY,
                found.map(|at| (at, self.board_at(at))),
            ),
        ];
        let items = items.into_iter().filter(|(moment, ..)| *moment == "MISSING" || missing.found.is_some());
        let row = |(moment, actor, nth, due, done): (&str, &str, usize, i64, Option<(i64, &str)>)| {
            let (sv, en) = texts::CHECKLIST.get(nth).copied().unwrap_or_default();
            let words = [("moment", moment), ("actor", actor), ("sv", sv), ("en", en), ("source", "påhittad rutin")];
            let mut values: Vec<(&'static str, Value)> =
                words.into_iter().map(|(column, word)| (column, Value::Text(word.to_owned()))).collect();
            values.extend([
                ("about_id", episode_id(missing.id)),
                ("position", Value::Instant(nth as i64)),
                ("key", Value::Text(format!("sandbox-{nth}"))),
                ("routine", Value::Text("sandbox/1".to_owned())),
                ("mandatory", Value::Bool(nth > 0)),
                ("due_at", Value::Instant(due)),
                ("state", Value::Text(if done.is_some() { "DONE" } else { "OPEN" }.to_owned())),
            ]);
            if let Some((at, by)) = done {
                values.extend([("done_at", Value::Instant(at)), ("done_by", self.agency(by))]);
            }
            values
        };
        let rows: Vec<_> = items.map(row).collect();
        rows.into_iter().map(|values| self.entry(List::Checklist, values)).collect()
    }

    fn sightings(&mut self, missing: &Missing) -> Vec<ListRow> {
        let seen = missing.opened + self.dice.range(6 * HOUR..16 * HOUR);
        let latest = missing.found.unwrap_or(self.now);
        if seen + HOUR > latest {
            return Vec::new();
        }
        let (place, words) = (self.dice.pick(&texts::PLACES), self.dice.pick(&texts::SIGHTINGS));
        let by = if self.plan.school { "skola" } else { POLICE };
        let values = vec![
            ("episode_id", episode_id(missing.id)),
            ("at", Value::Instant(seen + HOUR)),
            ("seen_at", Value::Instant(seen)),
            ("place", Value::Text(place.to_owned())),
            ("text", Value::Text(words.to_owned())),
            ("agency_id", self.agency(by)),
        ];
        vec![self.entry(List::Sightings, values)]
    }

    /// All parts of it where the episode is closed, the first ones where the child was found.
    fn follow_up(&mut self, missing: &Missing) -> Vec<ListRow> {
        let Some(found) = missing.found else { return Vec::new() };
        let parts = [
            ("RETURN_TALK", self.board_at(found)),
            ("HEALTH_CHECK", "region-skane"),
            ("EXPLOITATION_SCREENING", self.board_at(found)),
            ("PLACEMENT_REVIEW", self.board_at(found)),
        ];
        let last = missing.closed.unwrap_or(self.now);
        let mut rows = Vec::new();
        for (nth, (part, by)) in (1..).zip(parts) {
            let done = (found + nth * DAY / 2).min(last);
            if done == last && missing.closed.is_none() {
                break;
            }
            let values = vec![
                ("episode_id", episode_id(missing.id)),
                ("kind", Value::Text(part.to_owned())),
                ("done_on", Value::Date(crate::clock::day(done))),
                ("note", Value::Text(self.dice.pick(&texts::FOLLOW_UPS).to_owned())),
                ("at", Value::Instant(done)),
                ("agency_id", self.agency(by)),
            ];
            rows.push(self.entry(List::FollowUp, values));
        }
        rows.extend(self.closure(missing));
        rows
    }

    /// Migrationsverket closed its own matter while some children were missing for long.
    fn closure(&mut self, missing: &Missing) -> Option<ListRow> {
        let closed = missing.opened + 5 * DAY;
        if missing.found.is_some_and(|found| found <= closed) {
            return None;
        }
        let values = vec![
            ("episode_id", episode_id(missing.id)),
            ("at", Value::Instant(closed)),
            ("agency_id", self.agency("migrationsverket")),
            ("reason", Value::Text("Avskriven, barnet har avvikit.".to_owned())),
        ];
        Some(self.entry(List::Closures, values))
    }
}

fn episode_id(id: Uuid) -> Value {
    Value::Text(crate::ids::EpisodeId(id).to_string())
}

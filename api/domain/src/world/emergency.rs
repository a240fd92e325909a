//! Emergency accesses, and the moments that the hub waits for.

use super::{Deadline, Emergency, HOUR, ListRow, MINUTE, Story};
use crate::catalogue::{List, Value};
use crate::emergency::review_by;
use crate::handover::{AlarmTimes, Kind};
use crate::policy::{Purpose, Role};

impl Story<'_> {
    /// Emergency care has opened the record some hours ago.
    pub(super) fn emergency(&mut self) -> Option<Emergency> {
        if !self.plan.emergency {
            return None;
        }
        Some(Emergency {
            id: self.dice.id(),
            agency: self.diary.agency("region-skane"),
            role: Role::Health,
            purpose: Purpose::Health,
            user: "akuten-17",
            reason: "Barnet kom medvetslöst till akuten utan anhöriga; överkänsligheter måste kännas till.",
            opened_at: self.now - 3 * HOUR - self.dice.range(MINUTE..20 * MINUTE),
        })
        .filter(|emergency| emergency.opened_at >= self.life.registered)
    }

    /// What is waited for: each arrival that is not confirmed, as it is when a handover is proposed through the hub, and the
    /// review of an emergency access.
    pub(super) fn deadlines(&mut self, entries: &[ListRow], emergency: Option<&Emergency>) -> Vec<Deadline> {
        let mut all = Vec::new();
        for row in entries.iter().filter(|row| row.list == List::Handovers) {
            let value = |column: &str| row.values.iter().find(|(name, _)| *name == column).map(|(_, value)| value);
            let (Some(Value::Instant(expected)), None, Some(Value::Text(kind))) =
                (value("expected_at"), value("ended_at"), value("kind"))
            else {
                continue;
            };
            let Some(kind) = Kind::from_code(kind) else { continue };
            let alarms = AlarmTimes::default().of(kind);
            for (step, after) in [("OVERDUE", 0), ("COUNTY", alarms.county), ("EPISODE", alarms.episode)] {
                let (about_id, due_at) = (row.id, *expected + after);
                all.push(Deadline { id: self.dice.id(), about: "HANDOVER", about_id, step, due_at });
            }
        }
        if let Some(Emergency { id, opened_at, .. }) = emergency {
            let due_at = review_by(*opened_at);
            all.push(Deadline { id: self.dice.id(), about: "BREAK_GLASS", about_id: *id, step: "REVIEW", due_at });
        }
        all
    }
}

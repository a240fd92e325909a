//! Suggested corrections: who may make them, and what each reader sees of them.

use super::{Gate, has_ended, shows_earlier};
use crate::catalogue::{FieldId, FieldSet, Section};
use crate::error::ErrorCode;
use crate::ledger::Showing;
use crate::policy::{Decisions, RuleId};
use crate::store::{Row, SuggestedRow, SuggestionRow};
use crate::suggestion::{Outcome, State};
use crate::view::{SuggestedView, SuggestionView};
use std::collections::BTreeSet;
use std::sync::Arc;
use uuid::Uuid;

/// What a caller may see of one suggestion.
pub(crate) struct Suggested {
    pub(crate) view: SuggestionView,
    /// What the log must tell of it.
    pub(crate) showing: Showing,
    /// The open fields that the caller is shown.
    pub(crate) open: FieldSet,
}

impl Gate<'_> {
    /// Why a field may not be suggested, if it may not: what the caller writes itself it does not suggest, and what it is
    /// neither shown nor lets it hand in it does not touch. Nothing here looks at a value.
    pub(crate) fn suggest_refusal(&self, id: FieldId, sets: bool, row: Option<&Row>) -> Option<(ErrorCode, RuleId)> {
        let decisions = self.decisions(row);
        if decisions.writable.contains(id) {
            return Some((ErrorCode::UseUpdate, decisions.write_rule(id)));
        }
        // Whoever hands in without reading gives something; to take away it would have to see what is there.
        let gives = decisions.submittable.contains(id) && sets;
        let may = decisions.shown.contains(id) || gives;
        (!may).then(|| (ErrorCode::Forbidden, decisions.read_rule(id)))
    }

    /// Whether the caller is shown a field of the row at hand.
    pub(crate) fn shows(&self, id: FieldId, row: Option<&Row>) -> bool {
        self.decisions(row).shown.contains(id)
    }

    /// Whether the caller is shown a field of a placement of the child: of one that has ended only where it is shown those.
    pub(crate) fn shows_in_placement(&self, id: FieldId, entry: Uuid, placements: &[Row]) -> bool {
        let row = placements.iter().find(|row| row.entry.is_some_and(|placement| placement.id == entry));
        let decisions = self.decisions(row);
        let hidden = row.is_some_and(has_ended) && !shows_earlier(Section::Placement, &decisions);
        !hidden && decisions.shown.contains(id)
    }

    /// What the log must tell of a look at a child by which no field is shown.
    pub(crate) fn glance(&self) -> Showing {
        Showing {
            relation: self.standing.relation,
            shown: FieldSet::EMPTY,
            withheld: FieldSet::EMPTY,
            versions: BTreeSet::new(),
            rules: BTreeSet::new(),
        }
    }

    /// A suggestion as the caller may see it: the fields that it is shown, and of its own suggestions the others without
    /// their values. None where nothing is left; then it is to the caller as if it were not there.
    pub(crate) fn suggestion(&self, id: String, row: &SuggestionRow, placements: &[Row]) -> Option<Suggested> {
        let own = row.agency == self.agency && row.role == self.situation.role.code();
        let decisions = self.decisions_on(row, placements);
        let shown = decisions.as_ref().map_or(FieldSet::EMPTY, |decisions| decisions.shown);
        let seen = |suggested: &&SuggestedRow| own || shown.contains(suggested.field);
        let whole = row.fields.iter().all(|suggested| shown.contains(suggested.field));
        let mut showing = self.glance();
        let mut fields = Vec::new();
        for suggested in row.fields.iter().filter(seen) {
            let id = suggested.field;
            if shown.contains(id) {
                showing.shown.insert(id);
                let view = self.suggested(suggested, suggested.value.clone());
                // The words may tell of other fields, too. There always are some: to whom they are shown may therefore not
                // depend on which fields there are.
                let told = own || suggested.decided_by == Some(self.agency);
                fields.push(SuggestedView { reason: view.reason.filter(|_| told), ..view });
            } else {
                showing.withheld.insert(id);
                // Where even the existence of a value is secret, its giver has a receipt and learns no more.
                let silent = decisions.as_ref().is_none_or(|decisions| decisions.silent.contains(id));
                fields.push(if silent { receipt(suggested) } else { self.withheld(suggested) });
            }
            showing.rules.extend(decisions.as_ref().map(|decisions| decisions.read_rule(id)));
        }
        if fields.is_empty() {
            return None;
        }
        let open = row.fields.iter().filter(|suggested| suggested.outcome == Outcome::Open);
        let open: FieldSet = open.map(|suggested| suggested.field).filter(|id| shown.contains(*id)).collect();
        let view = SuggestionView {
            id,
            section: row.section,
            state: State::of(fields.iter().map(|field| field.outcome)),
            at: row.at,
            by: Some(row.agency).filter(|by| own || self.may_name(*by)),
            comment: row.comment.clone().filter(|_| whole),
            fields,
        };
        Some(Suggested { view, showing, open })
    }

    /// The decisions on what a suggestion is about; none where it is a placement that the caller does not see any more.
    fn decisions_on(&self, row: &SuggestionRow, placements: &[Row]) -> Option<Arc<Decisions>> {
        if row.section != Section::Placement {
            return Some(self.decisions(None));
        }
        let placement = placements.iter().find(|placement| placement.entry.map(|entry| entry.id) == row.entry);
        let decisions = self.decisions(placement);
        let hidden = placement.is_some_and(has_ended) && !shows_earlier(Section::Placement, &decisions);
        (!hidden).then_some(decisions)
    }

    /// A field that was given, and is withheld now: neither its value nor the words beside it, which are gone where the
    /// value may not be kept.
    fn withheld(&self, row: &SuggestedRow) -> SuggestedView {
        SuggestedView { reason: None, ..self.suggested(row, None) }
    }

    fn suggested(&self, row: &SuggestedRow, value: Option<serde_json::Value>) -> SuggestedView {
        SuggestedView {
            field: row.field,
            change: row.change,
            value,
            outcome: row.outcome,
            decided_at: row.decided_at,
            decided_by: row.decided_by.filter(|by| self.may_name(*by)),
            reason: row.reason.clone(),
        }
    }
}

/// A field as it was handed in, whatever became of it.
fn receipt(row: &SuggestedRow) -> SuggestedView {
    SuggestedView {
        field: row.field,
        change: row.change,
        value: None,
        outcome: Outcome::Open,
        decided_at: None,
        decided_by: None,
        reason: None,
    }
}

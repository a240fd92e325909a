//! Three facts with three clocks: who leads, who is legally responsible, who the child stays with; now, then, and all along.

use super::Session;
use super::episode::permit_to_know;
use super::involvement::INVOLVED;
use crate::agency::AgencyKind;
use crate::catalogue::{FieldId, FieldSet};
use crate::error::{Error, ErrorCode};
use crate::gate::Gate;
use crate::handover::{Fact, Involved, ResponsibilityView, Tenure};
use crate::ledger::Showing;
use crate::policy::Act;
use crate::store::Tie;
use std::collections::BTreeSet;

impl Session {
    /// Who answered for a child at an instant, in microseconds since 1970, now where none is given; and the history of it.
    /// Each fact is shown to whom its field is (F26, F30), and homes that the child has left to whom F34 is; an agency always
    /// sees its own. Who else is involved is told to whoever may let agencies in and end that, but for a home or school of
    /// which it may not know, and for the police where it may not know of a search.
    ///
    /// # Errors
    ///
    /// `DATE_ORDER` for an instant that is ahead; [`Error::NotFound`].
    pub async fn responsibility(&self, child: &str, at: Option<i64>) -> Result<ResponsibilityView, Error> {
        let result = async {
            self.purpose()?;
            let at = at.unwrap_or(self.now);
            if at > self.now {
                return Err(Error::refused_for(ErrorCode::DateOrder, ["at"], "now or earlier"));
            }
            let gate = self.known_child(child).await?;
            let ties = self.reader().await?.ties(gate.standing().child).await?;
            let seen = |tie: &Tie| {
                let fact = Fact::ALL.into_iter().find(|fact| fact.code() == tie.kind)?;
                let own = tie.agency == self.caller.agency.id;
                let Tie { agency, unit, opened_at, closed_at, .. } = tie.clone();
                let tenure = Tenure { fact, agency, unit, from: opened_at, to: closed_at };
                (own || gate.all_shown(fields_of(fact, closed_at.is_some()))).then_some(tenure)
            };
            let history: Vec<Tenure> = ties.iter().filter_map(seen).collect();
            let then = |tenure: &&Tenure| tenure.from <= at && tenure.to.is_none_or(|to| at < to);
            let facts = history.iter().filter(then).cloned().collect();
            let involved = self.involved_at(&gate, &ties, at);
            let asked: FieldSet = Fact::ALL.into_iter().flat_map(|fact| fields_of(fact, true).iter()).collect();
            let (showing, withheld) = gate.of_fields(asked);
            self.note(|draft| draft.show(gate.standing().subject, showing));
            Ok(ResponsibilityView { at, facts, history, involved, withheld })
        };
        self.refused(Box::pin(result).await)
    }

    /// Whom the caller may know to be involved at an instant: each agency once.
    fn involved_at(&self, gate: &Gate<'_>, ties: &[Tie], at: i64) -> Vec<Involved> {
        let may_see_all = gate.permit(Act::InvolveAgency).is_ok();
        // The police come with a search, and go with it.
        let may_see_police = permit_to_know(gate).is_ok();
        let is_police = |agency| matches!(self.hub.agency_kind(agency), Some(AgencyKind::Police));
        let mut involved: Vec<Involved> = Vec::new();
        for tie in ties.iter().filter(|tie| tie.kind == INVOLVED) {
            let is_then = tie.opened_at <= at && tie.closed_at.is_none_or(|closed| at < closed);
            let may_name = |agency| gate.may_name(agency) && (may_see_police || !is_police(agency));
            let is_told = tie.agency == self.caller.agency.id || (may_see_all && may_name(tie.agency));
            if is_then && is_told && !involved.iter().any(|told| told.agency == tie.agency) {
                let Tie { agency, unit, opened_at, closed_at, .. } = tie.clone();
                involved.push(Involved { agency, unit, from: opened_at, to: closed_at });
            }
        }
        involved
    }
}

/// The fields whose rules a fact follows.
fn fields_of(fact: Fact, ended: bool) -> FieldSet {
    let paths: &[&str] = match (fact, ended) {
        (Fact::Lead, _) => &["responsibility.leadAgency"],
        (Fact::Responsible, _) => &["responsibility.responsibleAgency"],
        (Fact::Whereabouts, false) => &["placement.unitAgency"],
        (Fact::Whereabouts, true) => &["placement.unitAgency", "placement.earlier"],
    };
    paths.iter().filter_map(|path| FieldId::by_path(path)).collect()
}

impl Gate<'_> {
    /// Whether all of these are shown.
    fn all_shown(&self, fields: FieldSet) -> bool {
        let shown = self.decisions(None).shown;
        fields.iter().all(|id| shown.contains(id))
    }

    /// What the log must tell of these fields, and those that are withheld.
    fn of_fields(&self, fields: FieldSet) -> (Showing, Vec<(FieldId, crate::policy::RuleId)>) {
        let decisions = self.decisions(None);
        let withheld = fields & decisions.withheld();
        let showing = Showing {
            shown: fields & decisions.shown,
            withheld: fields & !decisions.shown,
            rules: fields.iter().map(|id| decisions.read_rule(id)).collect::<BTreeSet<_>>(),
            ..self.glance()
        };
        (showing, withheld.iter().map(|id| (id, decisions.read_rule(id))).collect())
    }
}

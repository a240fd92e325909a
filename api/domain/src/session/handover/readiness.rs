//! What the receiver of a handover will see, and what the checklist still lacks.

use super::rules::{forbidden, open};
use crate::catalogue::{FieldId, Section};
use crate::error::{Error, ErrorCode};
use crate::gate::Gate;
use crate::handover::{Effect, Kind, Readiness, SectionReadiness, Terms, Unfinished};
use crate::ids::{AgencyId, ItemId};
use crate::policy::{Act, Consents, Protection, Purpose, Relation, Role};
use crate::session::Session;
use crate::store::Standing;
use uuid::Uuid;

impl Session {
    /// What an agency would see of a child by a handover of this kind, by the rules for its role, and which items of the
    /// checklist are open; before the proposal, which ones it would bring. It rests on what the proposer itself is shown: whether the child is protected, and whether the receiver
    /// is responsible already.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` for whoever may not propose such a handover; otherwise as [`propose_handover`](crate::session::Step::propose_handover).
    pub async fn handover_readiness(&self, child: &str, to: &str, kind: Kind) -> Result<Readiness, Error> {
        let result = async {
            let terms = kind.terms();
            self.purpose()?;
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["toAgencyId"], AgencyId::PREFIX);
            let to = to.parse::<AgencyId>().map_err(wrong)?;
            let gate = self.known_child(child).await?;
            gate.permit(Act::ProposeHandover)?;
            if !terms.proposers.contains(&self.caller.role) {
                return Err(forbidden("handover-terms", None));
            }
            let agency = self.hub.agency(to).await?;
            let agency = agency.ok_or_else(|| Error::refused(ErrorCode::UnknownAgency, ["toAgencyId"]))?;
            let role = agency.kind.roles().first().copied().filter(|role| terms.receives(*role));
            let role = role.ok_or_else(|| {
                let kinds = terms.receivers.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ");
                Error::refused_for(ErrorCode::AgencyKind, ["toAgencyId"], kinds)
            })?;
            self.may_receive(&gate, to).await?;
            let standing = *gate.standing();
            let ties = self.reader().await?.ties(standing.child).await?;
            // Only what the proposer sees itself may move what it is told here.
            let sees = |path: &str| FieldId::by_path(path).is_some_and(|id| gate.shows(id, None));
            let board = open(&ties, "RESPONSIBLE").map(|tie| tie.agency);
            let board = board.filter(|_| sees("responsibility.responsibleAgency"));
            let responsible = board == Some(to);
            let protection = if sees("protection.level") { standing.protection } else { Protection::None };
            let purpose = self.purpose_of(role)?;
            let eyes = |effects: &[Effect], weakest: Relation| {
                let strong =
                    responsible || effects.iter().any(|effect| matches!(effect, Effect::Lead | Effect::Responsible));
                let relation = if strong { Relation::Responsible } else { weakest };
                let standing =
                    Standing { relation, protection, consents: Consents::NONE, break_glass: false, ..standing };
                sections_of(&Gate::of_other(&self.hub, to, role, purpose, standing))
            };
            let open = self.reader().await?.open_handover(standing.child, terms.moves).await?;
            let unfinished = match open.filter(|row| row.kind == kind && row.to == to) {
                Some(row) => self.begun(terms, row.id).await?,
                None => self.to_be_copied(terms, standing.lead, board).await?,
            };
            self.note(|draft| draft.show(standing.subject, gate.glance()));
            Ok(Readiness {
                kind,
                to,
                purpose,
                on_acceptance: eyes(terms.on_acceptance, Relation::Receiving),
                on_arrival: eyes(terms.on_arrival, Relation::Involved),
                unfinished,
            })
        };
        self.refused(Box::pin(result).await)
    }

    /// The items of a checklist that nobody has done or skipped.
    async fn begun(&self, terms: &Terms, handover: Uuid) -> Result<Vec<Unfinished>, Error> {
        let items = self.reader().await?.unfinished(handover).await?.into_iter();
        Ok(items
            .map(|item| Unfinished {
                id: Some(ItemId(item.id).to_string()),
                mandatory: terms.is_mandatory(&item.key),
                key: item.key,
                actor: item.actor,
                sv: item.sv,
                en: item.en,
            })
            .collect())
    }

    /// The items that a proposal would copy now.
    async fn to_be_copied(
        &self,
        terms: &Terms,
        lead: AgencyId,
        responsible: Option<AgencyId>,
    ) -> Result<Vec<Unfinished>, Error> {
        let Some(moment) = terms.moment else { return Ok(Vec::new()) };
        let routine = self.routine_now(lead, responsible).await?;
        let items = routine.iter().flat_map(|routine| routine.of(moment));
        Ok(items
            .map(|item| Unfinished {
                id: None,
                key: item.key.clone(),
                mandatory: terms.is_mandatory(&item.key),
                actor: item.actor.code().to_owned(),
                sv: item.sv.clone(),
                en: item.en.clone(),
            })
            .collect())
    }

    /// The purpose that a role is taken to state: the caller's, or protection, or what it may.
    fn purpose_of(&self, role: Role) -> Result<Purpose, Error> {
        let may = |purpose: &Purpose| self.hub.engine.may_declare(role, *purpose);
        let wanted = [self.purpose()?, Purpose::Protect];
        let first = wanted.into_iter().chain(Purpose::ALL.iter().copied()).find(may);
        first.ok_or(Error::Code(ErrorCode::Internal))
    }
}

fn sections_of(gate: &Gate<'_>) -> Vec<SectionReadiness> {
    let decisions = gate.decisions(None);
    let of = |section: Section| {
        let withheld = decisions.withheld() & section.field_set();
        SectionReadiness {
            section,
            visible: (decisions.shown & section.field_set()).iter().collect(),
            withheld: withheld.iter().map(|id| (id, decisions.read_rule(id))).collect(),
        }
    };
    Section::ALL.into_iter().map(of).collect()
}

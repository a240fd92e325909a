//! Handovers as their parties see them.

use crate::catalogue::Section;
use crate::error::{Error, ErrorCode};
use crate::gate::Gate;
use crate::handover::Step as Taking;
use crate::handover::{Details, HandoverView, Kind, Party, State, Terms};
use crate::ids::HandoverId;
use crate::ledger::Showing;
use crate::session::{Session, page_size};
use crate::store::HandoverRow;
use crate::view::Page;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

#[derive(Serialize, Deserialize)]
struct Position(i64, Uuid);

impl Session {
    /// A handover that the caller's agency sends or receives.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] alike for one that never was and one of others; `INVALID_ID`, `PURPOSE_REQUIRED`.
    pub async fn handover(&self, id: &str) -> Result<HandoverView, Error> {
        let result = async {
            self.purpose()?;
            let id = self.handover_id(id)?;
            let row = self.reader().await?.handover(id).await?;
            let gate = match &row {
                Some(row) if self.party_of(row).is_some() => self.gate_of(row.child).await?,
                _ => None,
            };
            match row.zip(gate).and_then(|(row, gate)| self.seen_handover(&row, &gate)) {
                Some(view) => Ok(view),
                None => {
                    self.note(|draft| draft.miss());
                    Err(Error::NotFound)
                }
            }
        };
        self.refused(Box::pin(result).await)
    }

    /// The handovers that the caller's agency sends or receives, latest first.
    ///
    /// # Errors
    ///
    /// `PAGE_SIZE`, `INVALID_CURSOR`, `PURPOSE_REQUIRED`.
    pub async fn handovers(
        &self,
        state: Option<State>,
        first: Option<i32>,
        after: Option<&str>,
    ) -> Result<Page<HandoverView>, Error> {
        let result = async {
            self.purpose()?;
            let size = page_size(first)?;
            let list = format!("handovers|{state:?}");
            let before = after.map(|cursor| self.handover_position(&list, cursor)).transpose()?;
            let kinds = |acts: &dyn Fn(&Terms) -> bool| {
                Kind::ALL.into_iter().filter(|kind| acts(kind.terms())).collect::<Vec<_>>()
            };
            let sent = kinds(&|terms| terms.sends(self.caller.role));
            let received = kinds(&|terms| terms.receives(self.caller.role));
            let own = self.caller.agency.id;
            let limit = size as u64 + 1;
            let mut rows = self.reader().await?.handovers(own, &sent, &received, state, before, limit).await?;
            let has_next = rows.len() > size;
            rows.truncate(size);
            let children: Vec<Uuid> = rows.iter().map(|row| row.child).collect();
            let party = self.party()?;
            let standings = self.reader().await?.standings(party, &children, self.now, self.rests_on_consent()).await?;
            let mut items = Vec::with_capacity(rows.len());
            for row in &rows {
                let Some(standing) = standings.iter().find(|standing| standing.child == row.child) else { continue };
                let Some(view) = self.seen_handover(row, &self.gate(*standing)?) else { continue };
                let position = serde_json::to_vec(&Position(row.proposed_at, row.id)).unwrap_or_default();
                items.push((self.cursor(&list, &position), view));
            }
            Ok(Page { items, has_next })
        };
        self.refused(Box::pin(result).await)
    }

    /// What the caller is to a handover, if anything.
    pub(in crate::session) fn party_of(&self, row: &HandoverRow) -> Option<Party> {
        let (own, role, terms) = (self.caller.agency.id, self.caller.role, row.kind.terms());
        if row.to == own && terms.receives(role) {
            return Some(Party::To);
        }
        ((row.from == own || row.proposer == own) && terms.sends(role)).then_some(Party::From)
    }

    /// A handover as the caller may see it, which is noted. A party follows one that is under way, and keeps its own part of it: an offer
    /// that it received, an arrival that it confirmed. Where the child went else is told to whom F28 is shown, and free words, which
    /// may tell where it lives, to whom its address is.
    pub(super) fn seen_handover(&self, row: &HandoverRow, gate: &Gate<'_>) -> Option<HandoverView> {
        let party = self.party_of(row).filter(|_| !gate.standing().blocked)?;
        let knows = gate.knows();
        let own_words = row.state == State::Refused && party == Party::To;
        let shown = gate.of_own_handover();
        let follows = shown.list || party == Party::To || (shown.under_way && !row.state.has_ended());
        let of_time = |at: Option<i64>| at.filter(|_| follows);
        let receipt = row.receipt.iter().flatten().filter(|_| knows && follows);
        let versions = receipt.clone().filter_map(|received| Section::by_name(&received.section)).collect();
        self.note(|draft| draft.decide(gate.standing()));
        self.note(|draft| draft.show(gate.standing().subject, Showing { versions, ..gate.glance() }));
        Some(HandoverView {
            id: HandoverId(row.id).to_string(),
            kind: row.kind,
            state: row.state,
            overdue: !row.state.has_ended() && (row.expected_at <= self.now || row.overdue_at.is_some()),
            urgent: row.urgent,
            from: row.from,
            to: Some(row.to).filter(|_| follows),
            proposed_at: row.proposed_at,
            expected_at: row.expected_at,
            accepted_at: of_time(row.accepted_at),
            departed_at: of_time(row.departed_at),
            arrived_at: of_time(row.arrived_at),
            ended_at: of_time(row.ended_at),
            details: match (follows, knows && shown.free_words) {
                (true, true) => row.details.clone(),
                (true, false) if knows => row.details.placeless(),
                (true, false) => row.details.offered(),
                (false, _) => Details::default(),
            },
            reason: row.reason.clone().filter(|_| (knows && follows && shown.free_words) || own_words),
            receipt: receipt.map(|received| (received.section.clone(), received.version.clone())).collect(),
            child: knows.then(|| self.public_id(row.child)),
            next: next_of(row, party),
        })
    }

    /// What is decided for the caller about a child, known to it or not; none for a child that is not there.
    pub(super) async fn gate_of(&self, child: Uuid) -> Result<Option<Gate<'_>>, Error> {
        let reader = self.reader().await?;
        let standings = reader.standings(self.party()?, &[child], self.now, self.rests_on_consent()).await?;
        standings.into_iter().next().map(|standing| self.gate(standing)).transpose()
    }

    pub(super) fn handover_id(&self, text: &str) -> Result<Uuid, Error> {
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["handoverId"], HandoverId::PREFIX);
        text.parse::<HandoverId>().map(|id| id.0).map_err(wrong)
    }

    fn handover_position(&self, list: &str, cursor: &str) -> Result<(i64, Uuid), Error> {
        let position = self.position(list, cursor)?;
        let wrong = |_| Error::refused(ErrorCode::InvalidCursor, ["after"]);
        let Position(at, id) = serde_json::from_slice(&position).map_err(wrong)?;
        Ok((at, id))
    }
}

/// The mutations that a party can go on with.
pub(super) fn next_of(row: &HandoverRow, party: Party) -> Vec<&'static str> {
    row.state.next(party, row.kind.terms().travels).map(Taking::mutation).collect()
}

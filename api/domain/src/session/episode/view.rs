//! Episodes as far as the record shows them, and the report for the police.

use super::EpisodeSelection;
use crate::calendar::comes_of_age;
use crate::catalogue::FieldId;
use crate::episode::{self, Facts, FollowUp, State, Step as Move, Unclosed};
use crate::error::{Error, ErrorCode, Refusal};
use crate::gate::Gate;
use crate::ids::EpisodeId;
use crate::policy::Act;
use crate::session::Session;
use crate::session::step::Step;
use crate::store::EpisodeRow;
use crate::view::{ChildView, EpisodeAnswer, EpisodeView};
use std::collections::HashMap;
use uuid::Uuid;

impl<'s> Step<'s> {
    /// A closure of one's own is a risk while the child is under 18 and nobody knows where it is.
    pub(super) async fn warns_of_closure(&self, view: &ChildView) -> Result<bool, Error> {
        let gate = self.known_child(&view.id).await?;
        let child = gate.standing().child;
        let reader = self.reader().await?;
        let is_unfound = reader.episodes(child).await?.first().is_some_and(|row| row.found_at.is_none());
        let born = reader.birth_date(child).await?;
        let grown = born.and_then(comes_of_age);
        Ok(is_unfound && grown.is_none_or(|grown| self.today() < grown))
    }
}

impl Session {
    /// The episodes of a child, latest first: how far each came, and when, as far as the record shows it. What was told in them
    /// is shown by the record. To whom it shows no earlier ones, the latest; to whom it shows nothing but whether the child is
    /// missing or found, that one's id while it is.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` to those who take no part in a search; as [`Session::child`].
    pub async fn episodes(&self, child: &str) -> Result<Vec<EpisodeView>, Error> {
        let result = async {
            self.purpose()?;
            let gate = self.known_child(child).await?;
            permit_to_know(&gate)?;
            let mut rows = self.reader().await?.episodes(gate.standing().child).await?;
            if !is_shown(&gate, "missing.earlier") {
                rows.truncate(1);
                rows.retain(|row| is_shown(&gate, "missing.status") || is_told_by_flag(row));
            }
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            Ok(rows.iter().map(|row| view_of(row, &gate)).collect())
        };
        self.refused(Box::pin(result).await)
    }

    /// What a step gives, as far as the caller may see it now. No id stands for the latest episode.
    pub(super) async fn shown_episode(
        &self,
        view: ChildView,
        id: Uuid,
        wanted: EpisodeSelection,
    ) -> Result<EpisodeAnswer, Error> {
        let gate = self.known_child(&view.id).await?;
        let mut answer = EpisodeAnswer { view, episode: None, checklist: None, report: None, warns: false };
        if permit_to_know(&gate).is_err() {
            return Ok(answer);
        }
        let rows = self.reader().await?.episodes(gate.standing().child).await?;
        let Some(row) = rows.into_iter().find(|row| id.is_nil() || row.id == id) else { return Ok(answer) };
        self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
        answer.episode = Some(view_of(&row, &gate));
        if wanted.checklist && gate.permit(Act::WorkChecklist).is_ok() {
            answer.checklist = Some(self.items_of(&gate, row.id).await?);
        }
        // Whoever reported it has said what the report holds besides the record.
        if wanted.report && row.opened_by == Some(self.caller.agency.id) {
            answer.report = Some(self.minimum_report(&answer.view.id, &row, &gate).await?);
        }
        Ok(answer)
    }

    /// The text for the police, of what the caller is shown now; the log tells of it as of any showing.
    async fn minimum_report(&self, child: &str, row: &EpisodeRow, gate: &Gate<'_>) -> Result<String, Error> {
        let view = self.child(child, &episode::selection()).await?;
        let mut names = HashMap::new();
        for id in episode::agencies_of(&view) {
            if let Some(agency) = self.hub.agency(id).await? {
                names.insert(id, agency.name.clone());
            }
        }
        let facts = Facts {
            // What the caller has said of the disappearance is its own; how it went on is not.
            is_suspected: row.state == State::Suspected && is_shown(gate, "missing.status"),
            reported_by: self.caller.agency.name.clone(),
            reported_at: row.opened_at,
            last_seen_at: row.last_seen_at,
            last_seen_place: row.last_seen_place.clone(),
            clothing: row.clothing.clone(),
            circumstances: row.circumstances.clone(),
            police_number: row.police_number.clone().filter(|_| is_shown(gate, "missing.policeNumber")),
        };
        Ok(episode::report(&view, &facts, &names))
    }
}

/// Whether the caller may know that there is an episode: whoever may take some part in it.
pub(in crate::session) fn permit_to_know(gate: &Gate<'_>) -> Result<(), Error> {
    let mut refused = gate.permit(Act::ReportMissing);
    for act in Move::ALL.map(Move::act).into_iter().chain([Act::WorkChecklist]) {
        if gate.permit(act).is_ok() {
            refused = Ok(());
        }
    }
    refused
}

/// How far it came and when is shown to whom the record shows it (F53, F59); the id to whoever may take a part in the search.
fn view_of(row: &EpisodeRow, gate: &Gate<'_>) -> EpisodeView {
    let is_shown = |path| is_shown(gate, path);
    let state = Some(row.state).filter(|_| is_shown("missing.status"));
    EpisodeView {
        id: EpisodeId(row.id).to_string(),
        state,
        opened_at: Some(row.opened_at).filter(|_| is_shown("missing.since")),
        located_at: row.located_at.filter(|_| is_shown("missing.locatedAt")),
        found_at: row.found_at.filter(|_| is_shown("missing.foundAt")),
        closed_at: row.closed_at.filter(|_| is_shown("missing.closedAt")),
        reopens: row.reopens.filter(|_| is_shown("missing.earlier")).map(|id| EpisodeId(id).to_string()),
        next: state.map(State::next).unwrap_or_default(),
    }
}

/// Whether the record shows the caller a field of the child's episode.
fn is_shown(gate: &Gate<'_>, path: &str) -> bool {
    FieldId::by_path(path).is_some_and(|id| gate.decisions(None).shown.contains(id))
}

/// Whether it is missing now, or was found: what the flags of the record tell of an episode.
fn is_told_by_flag(row: &EpisodeRow) -> bool {
    row.state.is_open() || row.found_at.is_some()
}

/// A step that the state does not allow; to whom the record shows only flags, the state is told as they do.
pub(super) fn not_from(gate: &Gate<'_>, argument: &'static str, state: State) -> Refusal {
    let state = if is_shown(gate, "missing.status") { state } else { state.by_flags() };
    Refusal::in_state([argument], state.code(), state.next())
}

pub(in crate::session) fn conflict(gate: &Gate<'_>, argument: &'static str, state: State) -> Error {
    Error::Refused(vec![not_from(gate, argument, state)])
}

/// Why an episode cannot be closed, as the caller is told.
pub(super) fn unclosed(row: &EpisodeRow, lacking: &Unclosed) -> Error {
    match lacking {
        Unclosed::Reason => {
            let parts = FollowUp::ALL.map(FollowUp::code).join(", ");
            let expected = format!("the child safe and all of {parts} recorded with `recordFollowUp`, or a reason");
            Error::refused_for(ErrorCode::Required, ["reason"], expected)
        }
        Unclosed::State | Unclosed::FollowUp => {
            let open = row.state.next().into_iter().filter(|step| *step != Move::CloseEpisode.mutation());
            Error::Refused(vec![Refusal::in_state(["episodeId"], row.state.code(), open)])
        }
    }
}

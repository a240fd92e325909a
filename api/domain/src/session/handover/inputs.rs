//! Reading what a caller tells of a handover: all that is wrong is told at once.

use super::{Assignment, NewHandover, Taken};
use crate::agency::AgencyKind;
use crate::catalogue::{Code, FieldId, Kind as FieldKind, Section, Value};
use crate::error::{Error, ErrorCode, Refusal};
use crate::handover::Step as Taking;
use crate::handover::{Details, Kind};
use crate::ids::AgencyId;
use crate::session::step::Step;
use crate::session::write::Changes;
use serde_json::Value as Json;

/// How far ahead an arrival can be expected, in microseconds: a year.
const FURTHEST: i64 = 366 * 24 * 3_600_000_000;
/// Why a handover was refused, withdrawn or not completed.
const REASON: FieldKind = FieldKind::Text(1000);

impl<'s> Step<'s> {
    /// Checks all that is told of a new handover. Everything that is wrong is told at once.
    pub(super) async fn read_new(&self, new: &NewHandover) -> Result<(AgencyId, Details), Error> {
        let terms = new.kind.terms();
        let mut refusals = Vec::new();
        refusals.extend(self.expected(new.expected_at));
        let details = Details::read(&new.details, terms.required).unwrap_or_else(|more| {
            refusals.extend(more);
            Details::default()
        });
        let to = match new.to.parse::<AgencyId>() {
            Ok(to) => self.agency_of(to, terms.receivers, &["toAgencyId"]).await,
            Err(_) => Err(Error::refused_for(ErrorCode::InvalidId, ["toAgencyId"], AgencyId::PREFIX)),
        };
        match to {
            Ok(to) if refusals.is_empty() => Ok((to, details)),
            Ok(_) => Err(Error::Refused(refusals)),
            Err(Error::Refused(more)) => Err(Error::Refused(more.into_iter().chain(refusals).collect())),
            Err(other) => Err(other),
        }
    }

    /// An assignment as the handover that it proposes.
    pub(super) fn read_assignment(&self, assignment: &Assignment) -> Result<NewHandover, Error> {
        let Assignment { municipality, to, decision_number, decided_on, expected_at, urgent, details } = assignment;
        if !Code::Municipality.contains(municipality) {
            return Err(Error::refused_for(ErrorCode::UnknownCode, ["municipality"], "MunicipalityCode"));
        }
        let boards: Vec<AgencyId> = self
            .hub
            .agencies()
            .into_iter()
            .filter(|agency| agency.kind == AgencyKind::SocialServices)
            .filter(|agency| agency.municipality.as_ref() == Some(municipality))
            .map(|agency| agency.id)
            .collect();
        let to = match (to, boards.as_slice()) {
            (Some(to), _) if to.parse().is_ok_and(|to: AgencyId| !boards.contains(&to)) => {
                return Err(Error::refused_for(ErrorCode::AgencyKind, ["toAgencyId"], "a board of the municipality"));
            }
            (Some(to), _) => to.clone(),
            (None, [only]) => only.to_string(),
            (None, []) => return Err(Error::refused(ErrorCode::UnknownAgency, ["municipality"])),
            (None, _) => return Err(Error::refused(ErrorCode::Required, ["toAgencyId"])),
        };
        let mut details = details.clone();
        details.insert("decisionNumber".to_owned(), Json::from(decision_number.as_str()));
        details.insert("decidedOn".to_owned(), decided_on.clone());
        Ok(NewHandover { kind: Kind::Assignment, to, expected_at: *expected_at, urgent: *urgent, details })
    }

    pub(super) fn read_taken(&self, step: Taking, taken: &Taken) -> Result<Option<String>, Error> {
        let mut refusals = Vec::new();
        let reason = taken.reason.as_deref().map(|reason| REASON.read(&Json::from(reason))).transpose();
        let reason = reason.unwrap_or_else(|(_, invalid)| {
            refusals.push(Refusal::of_value(vec!["reason".to_owned()], invalid));
            None
        });
        refusals.extend(taken.expected_at.and_then(|at| self.expected(at)));
        if let (Some(at), Some(argument)) = (taken.at, instant_of(step))
            && at > self.now
        {
            refusals.push(Refusal::at(ErrorCode::DateOrder, [argument]).expecting("now or earlier"));
        }
        match (refusals.is_empty(), reason) {
            (false, _) => Err(Error::Refused(refusals)),
            (true, Some(Value::Text(reason))) => Ok(Some(reason)),
            (true, _) => Ok(None),
        }
    }

    /// What is wrong with an expected arrival.
    pub(super) fn expected(&self, at: i64) -> Option<Refusal> {
        let fits = at > self.now && at <= self.now.saturating_add(FURTHEST);
        let refused = || Refusal::at(ErrorCode::DateOrder, ["expectedAt"]).expecting("ahead of now, at most a year");
        (!fits).then(refused)
    }
}

/// The argument that says when something happened.
pub(super) const fn instant_of(step: Taking) -> Option<&'static str> {
    match step {
        Taking::Depart => Some("departedAt"),
        Taking::Arrive => Some("arrivedAt"),
        _ => None,
    }
}

/// F25, as the decision says.
pub(super) fn decided(assignment: &Assignment) -> Result<Changes, Error> {
    let given = [
        ("assignedMunicipality", Json::from(assignment.municipality.as_str())),
        ("assignmentDecision", Json::from(assignment.decision_number.as_str())),
        ("assignedOn", assignment.decided_on.clone()),
    ];
    let read = |(name, input): (&str, Json)| {
        let id = Section::Responsibility.field(name).ok_or(Error::Code(ErrorCode::Internal))?;
        let refused = |(_, invalid)| Error::Refused(vec![Refusal::of_value(vec![argument(id).to_owned()], invalid)]);
        Ok((id, Some(id.field().kind.read(&input).map_err(refused)?)))
    };
    let mut changes = given.into_iter().map(read).collect::<Result<Changes, Error>>()?;
    changes.sort_by_key(|(id, _)| *id);
    Ok(changes)
}

/// The argument of `assignMunicipality` that a field comes from.
pub(super) fn argument(id: FieldId) -> &'static str {
    match id.field().name {
        "assignedMunicipality" => "municipality",
        "assignmentDecision" => "decisionNumber",
        _ => "decidedOn",
    }
}

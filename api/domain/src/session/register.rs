//! Registering a child: with a lead from the first instant.

use super::Patch;
use super::step::{Step, Stop};
use super::write::{Changes, first_identifier, first_write, is_there};
use crate::agency::AgencyKind;
use crate::catalogue::{Code, FieldId, FieldSet, IdentifierKind, Kind, Section};
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::{EventKind, To};
use crate::gate::Gate;
use crate::ids::AgencyId;
use crate::policy::{Consents, Operation, Protection, Relation};
use crate::stamps::Stamps;
use crate::store::{IdentifierRow, Standing, Write};
use crate::view::{ChildView, Selection};
use chrono::NaiveDate;
use serde_json::Value as Json;
use uuid::Uuid;

/// A child to register.
#[derive(Clone, Debug, Default)]
pub struct NewChild {
    /// The agency that leads from now; the caller's where none is named.
    pub lead: Option<String>,
    /// The agency that is legally responsible from now, if it is settled.
    pub responsible: Option<String>,
    /// The identity section's first values.
    pub identity: Patch,
    /// The first numbers.
    pub identifiers: Vec<NewIdentifier>,
}

/// What a child is registered with, checked.
struct First {
    lead: AgencyId,
    responsible: Option<AgencyId>,
    identity: Changes,
    numbers: Vec<IdentifierRow>,
}

/// The kinds of agency that may lead a child's case.
const MAY_LEAD: [AgencyKind; 3] = [AgencyKind::Migration, AgencyKind::SocialServices, AgencyKind::SocialOnCall];

/// A number to add.
#[derive(Clone, Debug)]
pub struct NewIdentifier {
    pub kind: IdentifierKind,
    pub value: String,
    pub identity_level: Option<String>,
    pub valid_from: Option<NaiveDate>,
    pub valid_to: Option<NaiveDate>,
}

impl NewIdentifier {
    /// Checks the number and brings it into its normal form.
    pub(super) fn read(self, id: Uuid, child: Uuid, path: &[&str]) -> Result<IdentifierRow, Error> {
        let NewIdentifier { kind, value, identity_level, valid_from, valid_to } = self;
        let at = |name: &str| path.iter().copied().chain([name]).map(str::to_owned).collect::<Vec<_>>();
        let value = kind.normalise(&value).map_err(|e| Error::Refused(vec![Refusal::of_value(at("value"), e)]))?;
        if let Some(level) = &identity_level {
            let level = Kind::Code(Code::IdentityLevel).read(&Json::from(level.as_str()));
            level.map_err(|(_, e)| Error::Refused(vec![Refusal::of_value(at("identityLevel"), e)]))?;
            if !kind.has_identity_level() {
                let expected = IdentifierKind::CoordinationNumber.code();
                return Err(Error::refused_for(ErrorCode::InvalidInput, at("identityLevel"), expected));
            }
        }
        if let (Some(from), Some(to)) = (valid_from, valid_to)
            && to < from
        {
            return Err(Error::refused_for(ErrorCode::DateOrder, at("validTo"), format!("on or after {from}")));
        }
        let stamps = Stamps::default();
        Ok(IdentifierRow { id, child, kind, value, identity_level, valid_from, valid_to, stamps })
    }
}

impl Step<'_> {
    /// Registers a child: its row, its lead, and its first values, all or nothing.
    ///
    /// A child that is registered already is not looked for: matching is a person's decision.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN`; [`Error::Refused`] with every input that is wrong.
    pub async fn register_child(&self, new: NewChild, selection: &Selection) -> Result<ChildView, Error> {
        let result = async {
            self.may(Operation::RegisterChild)?;
            let (child, subject) = (self.hub.dice.id(), self.hub.dice.id());
            let First { lead, responsible, identity, numbers } = self.read_first(child, new).await?;
            let gate = self.gate(first_standing(child, subject, lead))?;
            permit_first(&gate, &identity, &numbers)?;
            self.write_new(child, subject, lead, responsible, identity, numbers).await?;
            Ok(self.child(&self.public_id(child), selection).await?)
        };
        self.conclude(Box::pin(result).await, selection).await
    }

    /// Checks what a child is to be registered with. Everything that is wrong is told at once.
    async fn read_first(&self, child: Uuid, new: NewChild) -> Result<First, Error> {
        let NewChild { lead, responsible, identity, identifiers } = new;
        let mut refusals = Vec::new();
        let lead = gather(&mut refusals, self.named_agency(lead.as_deref(), &MAY_LEAD, "leadAgencyId").await)?;
        let boards = &[AgencyKind::SocialServices];
        let responsible = self.named_agency(responsible.as_deref(), boards, "responsibleAgencyId").await;
        let responsible = gather(&mut refusals, responsible)?.flatten();
        let identity = match identity.set.is_empty() {
            true => Changes::new(),
            false => {
                let read = self.read_patch(Section::Identity, &identity).await.map_err(within("identity"));
                gather(&mut refusals, read)?.unwrap_or_default()
            }
        };
        let mut numbers: Vec<IdentifierRow> = Vec::with_capacity(identifiers.len());
        for (index, number) in identifiers.into_iter().enumerate() {
            let row =
                gather(&mut refusals, number.read(self.hub.dice.id(), child, &["identifiers", &index.to_string()]))?;
            numbers.extend(row.filter(|row| !numbers.iter().any(|known| is_there(known, row))));
        }
        if !refusals.is_empty() {
            return Err(Error::Refused(refusals));
        }
        if identity.is_empty() && numbers.is_empty() {
            return Err(Error::refused(ErrorCode::NothingToDo, ["identity"]));
        }
        let lead = lead.flatten().unwrap_or(self.caller.agency.id);
        Ok(First { lead, responsible, identity, numbers })
    }

    async fn write_new(
        &self,
        child: Uuid,
        subject: Uuid,
        lead: AgencyId,
        responsible: Option<AgencyId>,
        identity: Changes,
        numbers: Vec<IdentifierRow>,
    ) -> Result<(), Stop> {
        self.forget().await?;
        let claim = self.claim(child, Uuid::nil());
        self.stop_if_done(claim.as_ref()).await?;
        let mut write = Write::of_new(&self.hub.store, child, self.now);
        write.event(EventKind::ChildRegistered, FieldSet::EMPTY, None, To::NOBODY);
        write.insert_child(subject, lead, self.now);
        if let Some(responsible) = responsible {
            write.open_involvement(self.hub.dice.id(), responsible, "RESPONSIBLE", self.now);
        }
        let own = self.caller.agency.id;
        if own != lead && Some(own) != responsible {
            write.open_involvement(self.hub.dice.id(), own, "INVOLVED", self.now);
        }
        let mut written = FieldSet::EMPTY;
        if !identity.is_empty() {
            written = first_write(self, &mut write, child, Section::Identity, identity);
        }
        for row in numbers {
            written.insert(first_identifier(self, &mut write, row));
        }
        // A child that is made cannot have changed.
        _ = self.make(write, claim.as_ref()).await?;
        self.note(|draft| draft.change(subject, "registerChild", written));
        Ok(())
    }

    async fn named_agency(
        &self,
        id: Option<&str>,
        kinds: &[AgencyKind],
        argument: &str,
    ) -> Result<Option<AgencyId>, Error> {
        let Some(id) = id else { return Ok(None) };
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, [argument], AgencyId::PREFIX);
        let id: AgencyId = id.parse().map_err(wrong)?;
        self.agency_of(id, kinds, &[argument]).await.map(Some)
    }
}

/// Whoever registers a child acts as responsible for it until it is registered.
fn first_standing(child: Uuid, subject: Uuid, lead: AgencyId) -> Standing {
    Standing {
        child,
        subject,
        lead,
        relation: Relation::Responsible,
        protection: Protection::None,
        missing: false,
        consents: Consents::NONE,
        break_glass: false,
        blocked: false,
        epoch: 0,
    }
}

/// Keeps refusals for later, and passes on what failed.
fn gather<T>(refusals: &mut Vec<Refusal>, result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Refused(more)) => {
            refusals.extend(more);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}

/// Refuses what the caller may not write, each at its place.
fn permit_first(gate: &Gate<'_>, identity: &Changes, numbers: &[IdentifierRow]) -> Result<(), Error> {
    let fields = identity.iter().map(|(id, _)| (*id, vec!["identity".to_owned(), id.field().name.to_owned()]));
    let kinds = numbers.iter().enumerate().map(|(index, row)| {
        let path = vec!["identifiers".to_owned(), index.to_string(), "kind".to_owned()];
        (row.kind.field(), path)
    });
    let refusal = |(id, path): (FieldId, Vec<String>)| Some(gate.forbidden(id, gate.write_refusal(id, None)?, path));
    let refusals: Vec<Refusal> = fields.chain(kinds).filter_map(refusal).collect();
    if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
}

/// Puts the refusals of a patch under the argument that held its values.
fn within(argument: &'static str) -> impl Fn(Error) -> Error {
    move |error| match error {
        Error::Refused(mut refusals) => {
            for refusal in &mut refusals {
                if let Some(first) = refusal.input.first_mut() {
                    argument.clone_into(first);
                }
            }
            Error::Refused(refusals)
        }
        other => other,
    }
}

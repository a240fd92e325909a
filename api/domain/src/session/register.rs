//! Registering a child: with a lead from the first instant.

use super::write::{first_identifier, first_write};
use super::{Patch, Session};
use crate::catalogue::{Code, FieldSet, IdentifierKind, Kind, Section};
use crate::clock::random_id;
use crate::error::{Error, ErrorCode, Refusal};
use crate::ids::AgencyId;
use crate::policy::{Consents, Operation, Protection, Relation};
use crate::stamps::Stamps;
use crate::store::{IdentifierRow, Standing};
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
    pub(super) fn read(self, child: Uuid, path: &[&str]) -> Result<IdentifierRow, Error> {
        let NewIdentifier { kind, value, identity_level, valid_from, valid_to } = self;
        let at = |name: &str| path.iter().copied().chain([name]).map(str::to_owned).collect::<Vec<_>>();
        let value = kind.normalise(&value).map_err(|e| Error::Refused(vec![Refusal::of_value(at("value"), e)]))?;
        if let Some(level) = &identity_level {
            let level = Kind::Code(Code::IdentityLevel).read(&Json::from(level.as_str()));
            level.map_err(|(_, e)| Error::Refused(vec![Refusal::of_value(at("identityLevel"), e)]))?;
            if !kind.has_identity_level() {
                return Err(Error::Refused(vec![Refusal::at(ErrorCode::InvalidInput, at("identityLevel"))]));
            }
        }
        if let (Some(from), Some(to)) = (valid_from, valid_to)
            && to < from
        {
            return Err(Error::Refused(vec![Refusal::at(ErrorCode::InvalidDate, at("validTo"))]));
        }
        let stamps = Stamps::default();
        Ok(IdentifierRow { id: random_id(), child, kind, value, identity_level, valid_from, valid_to, stamps })
    }
}

impl Session {
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
            let lead = self.named_agency(new.lead.as_deref(), "leadAgencyId").await?.unwrap_or(self.caller.agency.id);
            let responsible = self.named_agency(new.responsible.as_deref(), "responsibleAgencyId").await?;
            let child = random_id();
            let identity = match new.identity.set.is_empty() {
                true => Vec::new(),
                false => self.read_patch(Section::Identity, &new.identity).await.map_err(within("identity"))?,
            };
            let mut numbers = Vec::with_capacity(new.identifiers.len());
            for (index, number) in new.identifiers.into_iter().enumerate() {
                numbers.push(number.read(child, &["identifiers", &index.to_string()])?);
            }
            let subject = random_id();
            let gate = self.gate(first_standing(child, subject, lead))?;
            let fields = identity.iter().map(|(id, _)| *id).chain(numbers.iter().map(|row| row.kind.field()));
            for id in fields {
                if let Some(rule) = gate.write_refusal(id, None) {
                    let path = match id.field().section {
                        Section::Identity => ["identity", id.field().name],
                        _ => ["identifiers", id.field().name],
                    };
                    let refusal =
                        Refusal { rule: Some(gate.rule_name(rule)), ..Refusal::at(ErrorCode::Forbidden, path) };
                    return Err(Error::Refused(vec![refusal]));
                }
            }
            self.write_new(child, subject, lead, responsible, identity, numbers).await?;
            self.child(&self.public_id(child), selection).await
        };
        self.refused(result.await)
    }

    async fn write_new(
        &self,
        child: Uuid,
        subject: Uuid,
        lead: AgencyId,
        responsible: Option<AgencyId>,
        identity: Vec<(crate::catalogue::FieldId, Option<crate::catalogue::Value>)>,
        numbers: Vec<IdentifierRow>,
    ) -> Result<(), Error> {
        self.forget().await?;
        let write = self.hub.store.write().await?;
        write.insert_child(child, subject, lead, self.now).await?;
        write.open_involvement(random_id(), child, lead, "LEAD", self.now).await?;
        if let Some(responsible) = responsible {
            write.open_involvement(random_id(), child, responsible, "RESPONSIBLE", self.now).await?;
        }
        let own = self.caller.agency.id;
        if own != lead && Some(own) != responsible {
            write.open_involvement(random_id(), child, own, "INVOLVED", self.now).await?;
        }
        let mut written = FieldSet::EMPTY;
        if !identity.is_empty() {
            written = first_write(self, &write, child, Section::Identity, identity).await?;
        }
        for row in numbers {
            written.insert(first_identifier(self, &write, row).await?);
        }
        write.commit().await?;
        self.note(|draft| draft.change(subject, "registerChild", written));
        Ok(())
    }

    async fn named_agency(&self, id: Option<&str>, argument: &str) -> Result<Option<AgencyId>, Error> {
        let Some(id) = id else { return Ok(None) };
        let id: AgencyId = id.parse().map_err(|_| Error::refused(ErrorCode::InvalidId, [argument]))?;
        let known = self.hub.agency(id).await?.is_some();
        known.then_some(Some(id)).ok_or_else(|| Error::refused(ErrorCode::UnknownAgency, [argument]))
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
    }
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

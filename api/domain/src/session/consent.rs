//! Letting partner organisations in, and keeping suspected parties out.

use super::Session;
use super::change::{Reading, Work};
use super::step::{Step, Stop};
use crate::agency::AgencyKind;
use crate::catalogue::{FieldId, FieldSet, GROUPS, Kind, Value};
use crate::clock::day;
use crate::consent::{ALONE_FROM_YEARS, Giver, Lack, State};
use crate::error::{Error, ErrorCode, Refusal};
use crate::feed::EventKind;
use crate::ids::{AgencyId, BlockId, ConsentId};
use crate::ledger::IN_FORCE_WITHIN;
use crate::policy::{Act, Purpose, Role};
use crate::store::{BlockRow, ConsentRow};
use chrono::{Days, Months, NaiveDate};
use serde_json::Value as Json;
use uuid::Uuid;

/// How long a consent lasts at most.
const LONGEST: Months = Months::new(12);
/// The state of an agency that is kept out.
pub(super) const BLOCKED: &str = "BLOCKED";
/// A name.
const NAME: Kind = Kind::Text(200);
/// A reason.
const REASON: Kind = Kind::Text(1000);

/// A consent to record.
#[derive(Clone, Debug)]
pub struct NewConsent {
    /// The partner organisation.
    pub partner: String,
    /// Names of policy groups that can be consented to.
    pub groups: Vec<String>,
    /// The one purpose that it is for.
    pub purpose: Purpose,
    pub given_by: Giver,
    /// Who they are, in words.
    pub giver: String,
    /// Its last day.
    pub until: NaiveDate,
}

/// A consent, as one caller may see it.
#[derive(Clone, Debug)]
pub struct ConsentView {
    pub id: String,
    /// The child, by the id under which the caller knows it.
    pub child: String,
    pub partner: AgencyId,
    pub groups: Vec<String>,
    /// The fields that they hold.
    pub fields: Vec<FieldId>,
    pub purpose: Option<Purpose>,
    pub given_by: Option<Giver>,
    /// Who they are, for agencies: no partner reads it.
    pub giver: Option<String>,
    /// Microseconds since 1970.
    pub from: i64,
    /// Microseconds since 1970.
    pub until: i64,
    pub state: State,
}

/// A party that is kept out, for those who decide on it.
#[derive(Clone, Debug)]
pub struct BlockView {
    pub id: String,
    pub child: String,
    pub agency: AgencyId,
    pub by: AgencyId,
    pub reason: String,
    /// Microseconds since 1970.
    pub at: i64,
    /// Microseconds since 1970.
    pub lifted_at: Option<i64>,
}

/// What was changed, and from when no answer that was decided before leaves any node of the hub: microseconds since 1970.
#[derive(Clone, Debug)]
pub struct InForce<T> {
    pub what: T,
    pub at: i64,
}

impl<'s> Step<'s> {
    /// Records a consent: from the next answer on the partner reads what it names, for the purpose that it names.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, [`Error::NotFound`]; [`Error::Refused`] with every input that is wrong: `UNKNOWN_AGENCY`, `AGENCY_KIND`,
    /// `UNKNOWN_CODE` for a group that nobody can consent to, `DATE_ORDER`; `CONFLICT` with the state and what to do where no
    /// guardian is recorded now, or the child is too young to consent alone ([`Giver::lacks`]).
    pub async fn grant_consent(&self, child: &str, new: &NewConsent) -> Result<InForce<ConsentView>, Error> {
        let result = async {
            let row = &self.read_consent(new).await?;
            let decide = |mut work: Work<'s>| async move {
                work.gate.permit(Act::GrantConsent)?;
                self.may_consent(&work, new.given_by).await?;
                let row = ConsentRow { child: work.child(), ..row.clone() };
                work.write.event(EventKind::ConsentGiven, FieldSet::EMPTY, Some(row.id), row.partner);
                work.write.insert_consent(row);
                work.note("grantConsent", FieldSet::EMPTY);
                Ok(work)
            };
            self.decide(child, row.id, Reading::Several, decide).await?;
            Ok(row.id)
        };
        self.conclude_consent(Box::pin(result).await).await
    }

    /// Records that a consent was withdrawn: no answer that is decided from now on rests on it.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`; [`Error::NotFound`] alike for one that never was and one on a child that the caller may not know;
    /// `CONFLICT` with the state if it is not live.
    pub async fn revoke_consent(&self, id: &str) -> Result<InForce<ConsentView>, Error> {
        let result = async {
            self.purpose()?;
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["consentId"], ConsentId::PREFIX);
            let id = id.parse::<ConsentId>().map_err(wrong)?.0;
            let child = self.reader().await?.consent(id).await?.map(|row| row.child).unwrap_or_default();
            let decide = |mut work: Work<'s>| async move {
                work.gate.permit(Act::RevokeConsent)?;
                let row = self.reader().await?.consent(id).await?.ok_or(Error::NotFound)?;
                match State::at(self.now, row.until, row.withdrawn_at) {
                    State::Live => {}
                    state => return Err(Error::Refused(vec![Refusal::in_state(["consentId"], state.code(), [])])),
                }
                work.write.withdraw_consent(&row, self.now);
                work.write.event(EventKind::ConsentRevoked, FieldSet::EMPTY, Some(id), row.partner);
                work.note("revokeConsent", FieldSet::EMPTY);
                Ok(work)
            };
            self.decide(&self.public_id(child), id, Reading::Several, decide).await?;
            Ok(id)
        };
        self.conclude_consent(Box::pin(result).await).await
    }

    /// Keeps a suspected party from the record of a child: whatever it is to the child, from the next answer on it is nothing,
    /// and it cannot tell that from never having been anything.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, also for an agency of a kind that cannot be suspected: see [`AgencyKind::SUSPECTABLE`]; `UNKNOWN_AGENCY`,
    /// [`Error::NotFound`]; `CONFLICT` with the state for an agency that leads the case or is responsible, and for one that is
    /// kept out already.
    pub async fn block_party(&self, child: &str, agency: &str, reason: &str) -> Result<InForce<BlockView>, Error> {
        let result = async {
            let reason = &read_line(reason, "reason", REASON)?;
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["agencyId"], AgencyId::PREFIX);
            let agency = agency.parse::<AgencyId>().map_err(wrong)?;
            let agency = self.agency_of(agency, &AgencyKind::ALL, &["agencyId"]).await?;
            let id = self.hub.dice.id();
            let decide = |mut work: Work<'s>| async move {
                work.gate.permit(Act::BlockParty)?;
                let child = work.child();
                let in_state = |state, next| Error::Refused(vec![Refusal::in_state(["agencyId"], state, [next])]);
                if self.reader().await?.answers_for(child, agency).await? {
                    return Err(in_state("ANSWERS_FOR_THE_CHILD", "proposeHandover"));
                }
                if !self.hub.agency_kind(agency).is_some_and(|kind| AgencyKind::SUSPECTABLE.contains(&kind)) {
                    let kinds = AgencyKind::SUSPECTABLE.map(AgencyKind::code).join(", ");
                    return Err(Error::refused_for(ErrorCode::Forbidden, ["agencyId"], kinds));
                }
                if self.reader().await?.open_block(child, agency).await?.is_some() {
                    return Err(in_state(BLOCKED, "unblockParty"));
                }
                let (by, user) = (self.caller.agency.id, self.caller.user.clone());
                let reason = reason.clone();
                work.write.insert_block(BlockRow {
                    id,
                    child,
                    agency,
                    by,
                    user,
                    reason,
                    at: self.now,
                    lifted_at: None,
                });
                let lead = work.gate.standing().lead;
                work.write.event(EventKind::PartyBlocked, FieldSet::EMPTY, Some(id), lead);
                work.note("blockParty", FieldSet::EMPTY);
                Ok(work)
            };
            self.decide(child, id, Reading::Several, decide).await?;
            Ok(id)
        };
        self.conclude_block(Box::pin(result).await).await
    }

    /// Lets a party in again: it is to the child what it was.
    ///
    /// # Errors
    ///
    /// As [`Step::block_party`]; `CONFLICT` with the state if it is let in already.
    pub async fn unblock_party(&self, id: &str) -> Result<InForce<BlockView>, Error> {
        let result = async {
            self.purpose()?;
            let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["blockId"], BlockId::PREFIX);
            let id = id.parse::<BlockId>().map_err(wrong)?.0;
            let child = self.reader().await?.block(id).await?.map(|row| row.child).unwrap_or_default();
            let decide = |mut work: Work<'s>| async move {
                work.gate.permit(Act::BlockParty)?;
                let row = self.reader().await?.block(id).await?.ok_or(Error::NotFound)?;
                if row.lifted_at.is_some() {
                    return Err(Error::Refused(vec![Refusal::in_state(["blockId"], "LIFTED", ["blockParty"])]));
                }
                work.write.lift_block(&row, self.now);
                let lead = work.gate.standing().lead;
                work.write.event(EventKind::PartyUnblocked, FieldSet::EMPTY, Some(id), lead);
                work.note("unblockParty", FieldSet::EMPTY);
                Ok(work)
            };
            self.decide(&self.public_id(child), id, Reading::Several, decide).await?;
            Ok(id)
        };
        self.conclude_block(Box::pin(result).await).await
    }

    /// Refuses a consent of somebody who cannot give it, as far as the caller is shown the guardian and the birth date.
    async fn may_consent(&self, work: &Work<'_>, giver: Giver) -> Result<(), Error> {
        let shown = |path| FieldId::by_path(path).is_some_and(|id| work.gate.shows(id, None));
        let (child, today) = (work.child(), day(self.now));
        let reader = self.reader().await?;
        let by_itself = giver == Giver::Child;
        let born = match by_itself && shown("identity.birthDate") {
            true => reader.birth_date(child).await?,
            false => None,
        };
        let names = ["guardianship.guardianName", "guardianship.from", "guardianship.to"];
        let has_guardian = !by_itself && names.into_iter().all(shown) && reader.has_guardian(child, today).await?;
        let Some(lack) = giver.lacks(born, has_guardian, today) else { return Ok(()) };
        let (state, next, expected) = match lack {
            Lack::Guardian => (
                "NO_GUARDIAN",
                ["updateGuardianship"],
                "a guardian who is appointed now, in the section guardianship (OSL 12 kap. 3 §)".to_owned(),
            ),
            Lack::Age => (
                "TOO_YOUNG_ALONE",
                ["grantConsent"],
                format!(
                    "a registered birth date at least {ALONE_FROM_YEARS} years ago, or the consent of the guardian: \
                     CHILD_AND_GUARDIAN (OSL 12 kap. 3 §)"
                ),
            ),
        };
        Err(Error::Refused(vec![Refusal::in_state(["givenBy"], state, next).expecting(expected)]))
    }

    /// Checks a consent. Everything that is wrong is told at once.
    async fn read_consent(&self, new: &NewConsent) -> Result<ConsentRow, Error> {
        let mut refusals = Vec::new();
        let mut gather = |error| match error {
            Error::Refused(more) => {
                refusals.extend(more);
                Ok(())
            }
            other => Err(other),
        };
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, ["partnerId"], AgencyId::PREFIX);
        let partner = match new.partner.parse::<AgencyId>().map_err(wrong) {
            Ok(id) => self.agency_of(id, &[AgencyKind::Partner], &["partnerId"]).await,
            Err(error) => Err(error),
        };
        let partner = match partner {
            Ok(partner) => Some(partner),
            Err(error) => {
                gather(error)?;
                None
            }
        };
        for checked in [read_groups(&new.groups), self.read_purpose(new.purpose), self.read_until(new.until)] {
            if let Err(error) = checked {
                gather(error)?;
            }
        }
        let giver = match read_line(&new.giver, "giver", NAME) {
            Ok(giver) => Some(giver),
            Err(error) => {
                gather(error)?;
                None
            }
        };
        let (Some(partner), Some(giver), true) = (partner, giver, refusals.is_empty()) else {
            return Err(Error::Refused(refusals));
        };
        let mut groups = new.groups.clone();
        groups.sort_unstable();
        groups.dedup();
        Ok(ConsentRow {
            id: self.hub.dice.id(),
            child: Uuid::nil(),
            partner,
            groups,
            given_by: Some(new.given_by),
            giver: Some(giver),
            purpose: Some(new.purpose),
            recorded_by: Some(self.caller.agency.id),
            user: self.caller.user.clone(),
            from: self.now,
            until: end_of(new.until),
            withdrawn_at: None,
        })
    }

    fn read_purpose(&self, purpose: Purpose) -> Result<(), Error> {
        let may = |purpose: &Purpose| self.hub.engine.may_declare(Role::Partner, *purpose);
        if may(&purpose) {
            return Ok(());
        }
        let expected: Vec<&str> = Purpose::ALL.iter().copied().filter(may).map(Purpose::code).collect();
        Err(Error::refused_for(ErrorCode::InvalidInput, ["purpose"], expected.join(", ")))
    }

    /// From today until a year from now.
    fn read_until(&self, until: NaiveDate) -> Result<(), Error> {
        let today = day(self.now);
        let last = today.checked_add_months(LONGEST).unwrap_or(today);
        let fits = (today..=last).contains(&until);
        let refused = || Error::refused_for(ErrorCode::DateOrder, ["until"], format!("from {today} to {last}"));
        fits.then_some(()).ok_or_else(refused)
    }

    async fn conclude_consent(&self, result: Result<Uuid, Stop>) -> Result<InForce<ConsentView>, Error> {
        let result = async {
            let id = self.made(result)?;
            let row = self.reader().await?.consent(id).await?.ok_or(Error::NotFound)?;
            let gate = self.known_child(&self.public_id(row.child)).await?;
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            Ok(self.in_force(self.consent_view(row)))
        };
        self.refused(Box::pin(result).await)
    }

    async fn conclude_block(&self, result: Result<Uuid, Stop>) -> Result<InForce<BlockView>, Error> {
        let result = async {
            let id = self.made(result)?;
            let row = self.reader().await?.block(id).await?.ok_or(Error::NotFound)?;
            let gate = self.known_child(&self.public_id(row.child)).await?;
            gate.permit(Act::BlockParty)?;
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            Ok(self.in_force(self.block_view(row)))
        };
        self.refused(Box::pin(result).await)
    }

    /// What was made, now or before under the same key.
    pub(super) fn made(&self, result: Result<Uuid, Stop>) -> Result<Uuid, Error> {
        match result {
            Ok(id) => Ok(id),
            Err(Stop::Refused(error)) => Err(error),
            Err(Stop::Done(_, made)) => {
                self.note(|draft| draft.repeat());
                Ok(made)
            }
        }
    }

    fn in_force<T>(&self, what: T) -> InForce<T> {
        InForce { what, at: self.hub.clock.now().saturating_add(IN_FORCE_WITHIN) }
    }
}

impl Session {
    /// The live consents that name the caller's agency, and the children they are on, by the ids that mean nothing to anyone
    /// else; those that end first first.
    ///
    /// # Errors
    ///
    /// `OPERATION_FORBIDDEN` for whoever is no partner; `PURPOSE_REQUIRED`.
    pub async fn my_consents(&self) -> Result<Vec<ConsentView>, Error> {
        let result = async {
            self.purpose()?;
            if !self.rests_on_consent() {
                return Err(Error::Code(ErrorCode::OperationForbidden));
            }
            let reader = self.reader().await?;
            let rows = reader.consents_to(self.caller.agency.id, self.now).await?;
            let mut children: Vec<Uuid> = rows.iter().map(|row| row.child).collect();
            children.sort_unstable();
            children.dedup();
            let known = self.known(&reader, &children).await?;
            drop(reader);
            for gate in &known {
                self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            }
            let is_known = |row: &ConsentRow| known.iter().any(|gate| gate.standing().child == row.child);
            let own = |row: &ConsentRow| is_known(row) && row.purpose.is_none_or(|p| Some(p) == self.caller.purpose);
            Ok(rows.into_iter().filter(own).map(|row| self.consent_view(row)).collect())
        };
        self.refused(Box::pin(result).await)
    }

    /// The parties that are kept from a child's record, or were, latest first: for those who decide on it.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN`, [`Error::NotFound`], `INVALID_ID`, `PURPOSE_REQUIRED`.
    pub async fn blocks(&self, child: &str) -> Result<Vec<BlockView>, Error> {
        let result = async {
            self.purpose()?;
            let gate = self.known_child(child).await?;
            gate.permit(Act::BlockParty)?;
            let rows = self.reader().await?.blocks(gate.standing().child).await?;
            self.note(|draft| draft.show(gate.standing().subject, gate.glance()));
            Ok(rows.into_iter().map(|row| self.block_view(row)).collect())
        };
        self.refused(Box::pin(result).await)
    }

    fn consent_view(&self, row: ConsentRow) -> ConsentView {
        let fields = FieldId::all().filter(|id| row.groups.iter().any(|group| group == id.field().group));
        let id = match self.rests_on_consent() {
            true => self.hub.keys.seal(row.id.as_bytes(), &format!("consent|{}", self.caller.agency.id)),
            false => String::new(),
        };
        ConsentView {
            id: if id.is_empty() { ConsentId(row.id).to_string() } else { format!("{}_{id}", ConsentId::PREFIX) },
            child: self.public_id(row.child),
            partner: row.partner,
            fields: fields.collect(),
            groups: row.groups,
            purpose: row.purpose,
            given_by: row.given_by,
            giver: row.giver.filter(|_| !self.rests_on_consent()),
            from: row.from,
            until: row.until,
            state: State::at(self.now, row.until, row.withdrawn_at),
        }
    }

    fn block_view(&self, row: BlockRow) -> BlockView {
        BlockView {
            id: BlockId(row.id).to_string(),
            child: self.public_id(row.child),
            agency: row.agency,
            by: row.by,
            reason: row.reason,
            at: row.at,
            lifted_at: row.lifted_at,
        }
    }
}

/// The instant at which a day is over.
fn end_of(day: NaiveDate) -> i64 {
    let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
    next.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_micros()
}

fn read_groups(groups: &[String]) -> Result<(), Error> {
    let consentable = || GROUPS.iter().filter(|group| group.consentable).map(|group| group.name);
    if groups.is_empty() {
        return Err(Error::refused(ErrorCode::Required, ["groups"]));
    }
    match groups.iter().find(|named| !consentable().any(|name| name == named.as_str())) {
        None => Ok(()),
        Some(_) => {
            let expected = consentable().collect::<Vec<_>>().join(", ");
            Err(Error::refused_for(ErrorCode::UnknownCode, ["groups"], expected))
        }
    }
}

pub(super) fn read_line(text: &str, argument: &str, of: Kind) -> Result<String, Error> {
    match of.read(&Json::from(text)) {
        Ok(Value::Text(text)) => Ok(text),
        Ok(_) => Err(Error::refused(ErrorCode::InvalidInput, [argument])),
        Err((_, invalid)) => Err(Error::Refused(vec![Refusal::of_value(vec![argument.to_owned()], invalid)])),
    }
}

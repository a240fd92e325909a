//! What can be changed. Every change names the version it was made from, and is all or nothing.

use super::checklist::{self, Routine, RoutineItemInput};
use super::child::{Answer, ClosureOutput, EpisodeOutput, ItemOutput, PayloadOutput, Plan, SuggestionOutput};
use super::consent::{BlockPayload, ConsentInput, ConsentPayload};
use super::emergency::{BreakGlassPayload, BreakGlassReviewPayload, BreakGlassVerdict, whom};
use super::episode::{self, FollowUpKind, ReportMissingInput};
use super::error::answer;
use super::handover::{HandoverDetailsInput, HandoverKind, HandoverPayload, micros};
use super::inputs::{self, Clear, CorrectionInput, IdentifierInput, Patch, RegisterChildInput, patch};
use super::scalars::Date;
use super::submission::{
    NumberInput, SubmissionDecision, SubmissionFeedback, SubmissionInput, SubmissionPayload, SubmissionReceipt,
};
use async_graphql::{Context, ID, Object, Result};
use chrono::{DateTime, Utc};
use samverka_domain::catalogue::{Invalid, Kind as FieldKind, Value};
use samverka_domain::error::{Error, ErrorCode, Refusal};
use samverka_domain::handover::{Kind, Step as Taking};
use samverka_domain::session::{
    Assignment, NewChild, NewHandover, NewIdentifier, PoliceReport, SearchUpdate, Session, Step, Taken, Verdict,
};
use samverka_domain::submission::Kind as SubmissionKind;
use samverka_domain::view::{ChildView, SuggestionView};
use std::sync::Arc;

/// The changes of the hub.
pub struct Mutation;

/// How many numbers a child may be registered with.
const MOST_IDENTIFIERS: usize = 10;

/// The change that the root field at hand asks for.
fn step<'c>(ctx: &'c Context<'_>) -> Result<Step<'c>> {
    let session: &Arc<Session> = ctx.data()?;
    Ok(session.step(&ctx.item.node.response_key().node))
}

async fn payload<'a>(
    ctx: &Context<'a>,
    plan: Plan,
    result: std::result::Result<ChildView, Error>,
) -> Result<Option<PayloadOutput<'a>>> {
    match answer(ctx, result) {
        Some(view) => Ok(Some(PayloadOutput(Answer::one(ctx, plan, view).await?))),
        None => Ok(None),
    }
}

async fn update<'a, S: inputs::OfSection>(
    ctx: &Context<'a>,
    child_id: ID,
    expected_version: String,
    set: Option<Patch<S>>,
    clear: Option<Vec<Clear<S>>>,
) -> Result<Option<PayloadOutput<'a>>> {
    let step = step(ctx)?;
    let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
    let patch = patch(set, clear);
    let result = step.update(&child_id, S::SECTION, &expected_version, &patch, plan.selection()).await;
    payload(ctx, plan, result).await
}

pub(super) fn day(date: Option<Date>, path: &[&str]) -> std::result::Result<Option<chrono::NaiveDate>, Error> {
    let Some(Date(json)) = date.filter(|date| !date.0.is_null()) else { return Ok(None) };
    let refused =
        |invalid| Error::Refused(vec![Refusal::of_value(path.iter().map(|p| (*p).to_owned()).collect(), invalid)]);
    match FieldKind::Date.read(&json) {
        Ok(Value::Date(day)) => Ok(Some(day)),
        Ok(_) => Err(refused(Invalid::Type)),
        Err((_, invalid)) => Err(refused(invalid)),
    }
}

fn identifier(input: IdentifierInput, path: &[&str]) -> std::result::Result<NewIdentifier, Error> {
    let IdentifierInput { kind, value, identity_level, valid_from, valid_to } = input;
    let at = |name| path.iter().copied().chain([name]).collect::<Vec<_>>();
    Ok(NewIdentifier {
        kind: kind.into(),
        value,
        identity_level: identity_level.map(|level| level.0),
        valid_from: day(valid_from, &at("validFrom"))?,
        valid_to: day(valid_to, &at("validTo"))?,
    })
}

fn new_child(input: RegisterChildInput) -> std::result::Result<NewChild, Error> {
    let RegisterChildInput { lead_agency_id, responsible_agency_id, identity, identifiers } = input;
    let identifiers = identifiers.unwrap_or_default();
    if identifiers.len() > MOST_IDENTIFIERS {
        let refusal = Refusal::of_value(vec!["identifiers".to_owned()], Invalid::TooLong(MOST_IDENTIFIERS));
        return Err(Error::Refused(vec![refusal]));
    }
    let read = |(index, input): (usize, IdentifierInput)| identifier(input, &["identifiers", &index.to_string()]);
    Ok(NewChild {
        lead: lead_agency_id.map(|id| id.0),
        responsible: responsible_agency_id.map(|id| id.0),
        identity: patch(identity, None),
        identifiers: identifiers.into_iter().enumerate().map(read).collect::<std::result::Result<_, _>>()?,
    })
}

async fn suggestion<'a>(
    ctx: &Context<'a>,
    plan: Plan,
    result: std::result::Result<(ChildView, SuggestionView), Error>,
) -> Result<Option<SuggestionOutput<'a>>> {
    match answer(ctx, result) {
        Some((view, suggestion)) => {
            let answer = Answer::one(ctx, plan, view).await?.with_suggestion(&suggestion).await;
            Ok(Some(SuggestionOutput(answer)))
        }
        None => Ok(None),
    }
}

async fn propose<'a>(
    ctx: &Context<'a>,
    child_id: &str,
    kind: Kind,
    to: ID,
    expected_at: DateTime<Utc>,
    details: Option<HandoverDetailsInput>,
    urgent: bool,
) -> Result<Option<HandoverPayload<'a>>> {
    let step = step(ctx)?;
    let Some(plan) = answer(ctx, HandoverPayload::plan(ctx).checked()) else { return Ok(None) };
    let details = details.unwrap_or_default().into_map();
    let new = NewHandover { kind, to: to.0, expected_at: micros(expected_at), urgent, details };
    let result = step.propose_handover(child_id, &new, plan.selection()).await;
    HandoverPayload::of(ctx, plan, result).await
}

async fn take<'a>(ctx: &Context<'a>, id: &str, taking: Taking, taken: Taken) -> Result<Option<HandoverPayload<'a>>> {
    let step = step(ctx)?;
    let Some(plan) = answer(ctx, HandoverPayload::plan(ctx).checked()) else { return Ok(None) };
    let result = step.take_handover(id, taking, &taken, plan.selection()).await;
    HandoverPayload::of(ctx, plan, result).await
}

async fn submit(ctx: &Context<'_>, kind: SubmissionKind, about: SubmissionInput) -> Result<Option<SubmissionReceipt>> {
    let step = step(ctx)?;
    let result = match about.read() {
        Ok(new) => step.submit(kind, new).await,
        Err(error) => Err(error),
    };
    Ok(answer(ctx, result).map(Into::into))
}

macro_rules! mutations {
    ($($section:ident $method:ident $doc:literal,)+) => {
        /// What can be changed through the hub (*ändringar*): each is all or nothing.
        #[Object]
        impl Mutation {
            /// Registers a child (*registrera barn*), with a lead agency from the first instant. Whether the child is
            /// known already is for a person to decide, and is not looked up.
            async fn register_child<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The child to register (*barn*).")] input: RegisterChildInput,
            ) -> Result<Option<PayloadOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
                let result = match new_child(input) {
                    Ok(new) => step.register_child(new, plan.selection()).await,
                    Err(error) => Err(error),
                };
                payload(ctx, plan, result).await
            }

            $(
                #[doc = $doc]
                async fn $method<'a>(
                    &self,
                    ctx: &Context<'a>,
                    #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                    #[graphql(desc = "The `version` of the section that the change was made from (*version*).")]
                    expected_version: String,
                    #[graphql(desc = "What to set; null changes nothing (*sätt*).")] set: Option<Patch<inputs::$section>>,
                    #[graphql(desc = "What to empty (*töm*).")] clear: Option<Vec<Clear<inputs::$section>>>,
                ) -> Result<Option<PayloadOutput<'a>>> {
                    update::<inputs::$section>(ctx, child_id, expected_version, set, clear).await
                }
            )+

            /// Adds a number to a child (*lägg till identitetsbeteckning*). One that is there already is not added twice.
            async fn add_identifier<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The number (*nummer*).")] identifier: IdentifierInput,
            ) -> Result<Option<PayloadOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
                let result = match self::identifier(identifier, &["identifier"]) {
                    Ok(new) => step.add_identifier(&child_id, new, plan.selection()).await,
                    Err(error) => Err(error),
                };
                payload(ctx, plan, result).await
            }

            /// Ends the validity of a number (*avsluta identitetsbeteckning*). It stays in the record.
            async fn end_identifier<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The `id` of the number in its list.")] identifier_id: ID,
                #[graphql(desc = "Its last day of validity (*gäller till*).")] to: Date,
            ) -> Result<Option<PayloadOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
                let result = match required_day(to, "to") {
                    Ok(to) => step.end_identifier(&child_id, &identifier_id, to, plan.selection()).await,
                    Err(error) => Err(error),
                };
                payload(ctx, plan, result).await
            }

            /// Starts a placement (*ny placering*), and ends the current one the same day. The home, where it is an
            /// agency of the hub, sees the child from now.
            async fn start_placement<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The `version` of the section that the change was made from (*version*).")]
                expected_version: String,
                #[graphql(desc = "The new placement; `from` is required (*placering*).")] set: Patch<inputs::Placement>,
            ) -> Result<Option<PayloadOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
                let patch = patch(Some(set), None);
                let result = step.start_placement(&child_id, &expected_version, &patch, plan.selection()).await;
                payload(ctx, plan, result).await
            }

            /// Lets an agency in that has a matter of its own about a child (*släpp in aktör*): a school, a chief guardian,
            /// health care, another board. From now it sees what its role may as one involved. By whoever leads or is
            /// responsible; safe to repeat.
            async fn involve_agency<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The agency: `agency_…`.")] agency_id: ID,
            ) -> Result<Option<PayloadOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
                let result = step.involve_agency(&child_id, &agency_id, plan.selection()).await;
                payload(ctx, plan, result).await
            }

            /// Ends the involvement of an agency (*avsluta aktörs ärende*): your own, or another's if you lead or are
            /// responsible. For 90 days it sees what is left to an ended matter.
            async fn end_involvement<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The agency: `agency_…`.")] agency_id: ID,
            ) -> Result<Option<PayloadOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
                let result = step.end_involvement(&child_id, &agency_id, plan.selection()).await;
                payload(ctx, plan, result).await
            }

            /// Proposes to hand a child over to another agency (*föreslå överlämning*). Who leads does not change until the
            /// receiver confirms the arrival; the receiver sees the offer, and nothing of the child until it accepts.
            #[expect(clippy::too_many_arguments, reason = "each is an argument of the mutation")]
            async fn propose_handover<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "What is handed over (*slag*).")] kind: HandoverKind,
                #[graphql(desc = "The agency that receives: `agency_…`.")] to_agency_id: ID,
                #[graphql(desc = "When the child is expected to be there (*väntas framme*): ahead of now, at most a year.")]
                expected_at: DateTime<Utc>,
                #[graphql(desc = "What else the receiver is told (*uppgifter*).")] details: Option<HandoverDetailsInput>,
                #[graphql(desc = "Whether you ask for an answer at once (*brådskande*).", default)] urgent: bool,
            ) -> Result<Option<HandoverPayload<'a>>> {
                propose(ctx, &child_id, kind.into(), to_agency_id, expected_at, details, urgent).await
            }

            /// Offers the case to another board (*överflyttning av ärende*, SoL 29 kap. 10–11 §§): a handover of the kind
            /// `CASE_TRANSFER`. Legal responsibility moves when that board accepts, the lead when the child has arrived.
            async fn transfer_case<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The board that receives: `agency_…`.")] to_agency_id: ID,
                #[graphql(desc = "When the child is expected to be there (*väntas framme*): ahead of now, at most a year.")]
                expected_at: DateTime<Utc>,
                #[graphql(desc = "What else the receiver is told (*uppgifter*).")] details: Option<HandoverDetailsInput>,
                #[graphql(desc = "Whether you ask for an answer at once (*brådskande*).", default)] urgent: bool,
            ) -> Result<Option<HandoverPayload<'a>>> {
                propose(ctx, &child_id, Kind::CaseTransfer, to_agency_id, expected_at, details, urgent).await
            }

            /// Assigns a child to a municipality (*anvisa kommun*, LMA 3 §): its board is legally responsible from the decision
            /// on, before the child has arrived, and the lead is offered to it.
            #[expect(clippy::too_many_arguments, reason = "each is an argument of the mutation")]
            async fn assign_municipality<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The municipality (*anvisningskommun*), four-digit code.")] municipality: String,
                #[graphql(desc = "Its board: `agency_…`; the only one in the hub where it is left out.")]
                to_agency_id: Option<ID>,
                #[graphql(desc = "The number of the decision (*beslutsnummer*), at most 50 characters.")]
                decision_number: String,
                #[graphql(desc = "The day of the decision (*beslutsdatum*).")] decided_on: Date,
                #[graphql(desc = "When the child is expected to be there (*väntas framme*): ahead of now, at most a year.")]
                expected_at: DateTime<Utc>,
                #[graphql(desc = "What else the receiver is told (*uppgifter*).")] details: Option<HandoverDetailsInput>,
                #[graphql(desc = "Whether you ask for an answer at once (*brådskande*).", default)] urgent: bool,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, HandoverPayload::plan(ctx).checked()) else { return Ok(None) };
                let assignment = Assignment {
                    municipality,
                    to: to_agency_id.map(|id| id.0),
                    decision_number,
                    decided_on: decided_on.0,
                    expected_at: micros(expected_at),
                    urgent,
                    details: details.unwrap_or_default().into_map(),
                };
                let result = step.assign_municipality(&child_id, &assignment, plan.selection()).await;
                HandoverPayload::of(ctx, plan, result).await
            }

            /// Accepts a handover (*ta emot överlämning*). From now on the receiver reads the record; of a case
            /// transfer legal responsibility moves. An offer whose expected arrival has passed is rescheduled first.
            async fn accept_handover<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the handover: `handover_…`.")] handover_id: ID,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let taken = Taken::default();
                take(ctx, &handover_id, Taking::Accept, taken).await
            }

            /// Refuses a handover (*avböja överlämning*), by the receiver.
            async fn refuse_handover<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the handover: `handover_…`.")] handover_id: ID,
                #[graphql(desc = "Why, at most 1000 characters (*skäl*). The other agency reads this once it may know of the child.")]
                reason: String,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let taken = Taken { reason: Some(reason), ..Taken::default() };
                take(ctx, &handover_id, Taking::Refuse, taken).await
            }

            /// Takes a handover back (*återta överlämning*), by the sender. A child that travels is not withdrawn: first
            /// somebody tells whether it came; and one that has left and did not come only once it is known to be missing, was
            /// found, or stays with a home. Legal responsibility that moved at the acceptance
            /// comes back to whoever had it.
            async fn withdraw_handover<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the handover: `handover_…`.")] handover_id: ID,
                #[graphql(desc = "Why, at most 1000 characters (*skäl*). The other agency reads this once it may know of the child.")]
                reason: String,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let taken = Taken { reason: Some(reason), ..Taken::default() };
                take(ctx, &handover_id, Taking::Withdraw, taken).await
            }

            /// Tells that the child has left (*avresa*), by the sender. It waits for the mandatory items of the checklist.
            async fn record_departure<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the handover: `handover_…`.")] handover_id: ID,
                #[graphql(desc = "When (*tidpunkt*); now where it is left out.")] departed_at: Option<DateTime<Utc>>,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let taken = Taken { at: departed_at.map(micros), ..Taken::default() };
                take(ctx, &handover_id, Taking::Depart, taken).await
            }

            /// Confirms that the child is there (*bekräfta ankomst*), by the receiver. The lead moves, and nowhere else. It waits
            /// for nothing: an arrival is a fact, whatever was not done before. The receipt lists the sections that you see, with
            /// their versions, and is kept.
            async fn confirm_arrival<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the handover: `handover_…`.")] handover_id: ID,
                #[graphql(desc = "When the child came (*tidpunkt*); now where it is left out.")] arrived_at: Option<DateTime<Utc>>,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let taken = Taken { at: arrived_at.map(micros), ..Taken::default() };
                take(ctx, &handover_id, Taking::Arrive, taken).await
            }

            /// Tells that the child did not come (*inte framme*), by either agency. The handover stays open.
            async fn report_not_arrived<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the handover: `handover_…`.")] handover_id: ID,
                #[graphql(desc = "What is known, at most 1000 characters (*skäl*).")] reason: Option<String>,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let taken = Taken { reason, ..Taken::default() };
                take(ctx, &handover_id, Taking::ReportNotArrived, taken).await
            }

            /// Tells when the child is expected anew (*ny tid*): by the sender, and once it has accepted by the receiver. Once it
            /// has left that needs a reason, and is at most 24 hours later than it was. A child that is overdue, and of which
            /// nobody has told where it is, is expected within 24 hours, stays overdue until it is there, and its alarms go on.
            async fn reschedule_handover<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the handover: `handover_…`.")] handover_id: ID,
                #[graphql(desc = "When the child is expected to be there (*väntas framme*): ahead of now, at most a year.")]
                expected_at: DateTime<Utc>,
                #[graphql(desc = "Why, at most 1000 characters (*skäl*). It must be said of a child that is overdue.")] reason: Option<String>,
            ) -> Result<Option<HandoverPayload<'a>>> {
                let taken = Taken { expected_at: Some(micros(expected_at)), reason, ..Taken::default() };
                take(ctx, &handover_id, Taking::Reschedule, taken).await
            }

            /// Suggests a correction (*föreslå rättelse*) of fields that you see and others write, or that you may hand in
            /// without reading. Whoever writes a field accepts it or declines it. Nothing of the record changes until then.
            async fn suggest_correction<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The correction (*rättelse*).")] correction: CorrectionInput,
                #[graphql(desc = "Words for those who decide, at most 1000 characters (*kommentar*). Read by whoever may see every field of the suggestion.")]
                comment: Option<String>,
            ) -> Result<Option<SuggestionOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "SuggestionPayload").checked()) else { return Ok(None) };
                let result = match correction.read() {
                    Ok(new) => step.suggest_correction(&child_id, &new, comment.as_deref(), plan.selection()).await,
                    Err(error) => Err(error),
                };
                suggestion(ctx, plan, result).await
            }

            /// Accepts a suggestion (*godta förslag*): its open fields are written as an update of yours would write them.
            async fn accept_suggestion<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the suggestion: `suggestion_…`.")] suggestion_id: ID,
                #[graphql(desc = "The `version` of the section that you decide by (*version*).")]
                expected_version: String,
                #[graphql(desc = "Only these of its fields, by the names that they have in the section (*fält*); else all that you are shown. You must be allowed to write them all.")]
                fields: Option<Vec<String>>,
            ) -> Result<Option<SuggestionOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "SuggestionPayload").checked()) else { return Ok(None) };
                let fields = fields.as_deref();
                let result =
                    step.accept_suggestion(&suggestion_id, &expected_version, fields, plan.selection()).await;
                suggestion(ctx, plan, result).await
            }

            /// Declines a suggestion (*avslå förslag*): those of its open fields that you may write.
            async fn decline_suggestion<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the suggestion: `suggestion_…`.")] suggestion_id: ID,
                #[graphql(desc = "Why, at most 1000 characters (*skäl*). Whoever suggested it reads this.")] reason: String,
            ) -> Result<Option<SuggestionOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "SuggestionPayload").checked()) else { return Ok(None) };
                let result = step.decline_suggestion(&suggestion_id, &reason, plan.selection()).await;
                suggestion(ctx, plan, result).await
            }

            /// Reports a child missing (*anmäl försvunnet barn*): opens an episode, widens access for those who search, and
            /// copies the county's routine into a checklist. A child has one open episode at most.
            async fn report_missing<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "What is known of the disappearance (*anmälan*).")] input: ReportMissingInput,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let wanted = episode::wanted(&plan);
                let result = step.report_missing(&child_id, &input.read(), plan.selection(), wanted).await;
                episode::payload(ctx, plan, result).await
            }

            /// Records the police's number of a report, and whom to call (*för in polisanmälan*).
            async fn record_police_report<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the episode: `episode_…`.")] episode_id: ID,
                #[graphql(desc = "The police's number (*diarienummer*), `NNNN-Kn…n-YY`.")] number: Option<String>,
                #[graphql(desc = "A reference of another form, at most 200 characters (*annan beteckning*).")]
                reference: Option<String>,
                #[graphql(desc = "Whom to call, at most 200 characters (*kontakt*).")] contact: Option<String>,
                #[graphql(desc = "The police agency that searches (*polisens enhet*): it is involved with the child from now.")]
                police_agency_id: Option<ID>,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let new = PoliceReport { number, reference, contact, police_agency: police_agency_id.map(|id| id.0) };
                let wanted = episode::wanted(&plan);
                let result = step.record_police_report(&episode_id, &new, plan.selection(), wanted).await;
                episode::payload(ctx, plan, result).await
            }

            /// Tells that the search goes on, and how (*eftersökning*). Assessment, measures and wanted entry are the
            /// police's to tell; what is left out stays as it is.
            async fn update_search<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the episode: `episode_…`.")] episode_id: ID,
                #[graphql(desc = "The police's risk assessment, at most 4000 characters (*riskbedömning*, F57).")]
                assessment: Option<String>,
                #[graphql(desc = "What the police do, at most 4000 characters (*åtgärder*, F57).")]
                measures: Option<String>,
                #[graphql(desc = "Whether the child is entered as wanted, nationally or in SIS (*efterlysning*, F56).")]
                wanted_entry: Option<bool>,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let new = SearchUpdate { assessment, measures, wanted_entry };
                let result = step.update_search(&episode_id, &new, plan.selection(), episode::wanted(&plan)).await;
                episode::payload(ctx, plan, result).await
            }

            /// Records a sighting or a tip in an episode (*iakttagelse*, F58).
            async fn record_sighting<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the episode: `episode_…`.")] episode_id: ID,
                #[graphql(desc = "When the child was seen (*sedd*); not ahead of now.")]
                seen_at: Option<DateTime<Utc>>,
                #[graphql(desc = "Where, at most 200 characters (*plats*).")] place: Option<String>,
                #[graphql(desc = "What was seen, at most 4000 characters (*iakttagelse*).")] text: String,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let seen = (seen_at.map(|at| at.timestamp_micros()), place.as_deref(), text.as_str());
                let result = step.record_sighting(&episode_id, seen, plan.selection(), episode::wanted(&plan)).await;
                episode::payload(ctx, plan, result).await
            }

            /// Tells that somebody knows where a missing child is (*lokaliserat*). Access stays widened until it is safe.
            async fn mark_located<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "Since when (*tid*); not ahead of now.")] at: DateTime<Utc>,
                #[graphql(desc = "Where, at most 200 characters (*plats*, F59).")] place: Option<String>,
                #[graphql(desc = "How the child is, at most 4000 characters (*tillstånd*, F59).")]
                condition: Option<String>,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let found = (at.timestamp_micros(), place.as_deref(), condition.as_deref());
                let result = step.mark_located(&child_id, found, plan.selection(), episode::wanted(&plan)).await;
                episode::payload(ctx, plan, result).await
            }

            /// Tells that a located child is safe (*i säkerhet*). Widened access ends 72 hours from now.
            async fn mark_safe<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let result = step.mark_safe(&child_id, plan.selection(), episode::wanted(&plan)).await;
                episode::payload(ctx, plan, result).await
            }

            /// Records a part of what follows when a child was found (*uppföljning*, F60): each once.
            async fn record_follow_up<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the episode: `episode_…`.")] episode_id: ID,
                #[graphql(desc = "Which part (*slag*).")] kind: FollowUpKind,
                #[graphql(desc = "The day it was done (*gjort*).")] done_on: Date,
                #[graphql(desc = "What came of it, at most 4000 characters (*anteckning*).")] note: Option<String>,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let result = match required_day(done_on, "doneOn") {
                    Ok(day) => {
                        let part = (kind.into(), day, note.as_deref());
                        step.record_follow_up(&episode_id, part, plan.selection(), episode::wanted(&plan)).await
                    }
                    Err(error) => Err(error),
                };
                episode::payload(ctx, plan, result).await
            }

            /// Closes an episode (*avsluta försvinnande*): when the child is safe and what follows is done, or before that by
            /// the responsible board with a reason. It never closes by itself.
            async fn close_episode<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the episode: `episode_…`.")] episode_id: ID,
                #[graphql(desc = "Why, at most 4000 characters (*skäl*); required before what follows is done.")]
                reason: Option<String>,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let wanted = episode::wanted(&plan);
                let result = step.close_episode(&episode_id, reason.as_deref(), plan.selection(), wanted).await;
                episode::payload(ctx, plan, result).await
            }

            /// Records that your agency has closed its own matter (*eget avslut*, F61). The episode stays open, and you are
            /// warned while the child is under 18 and not found.
            async fn record_agency_closure<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the episode: `episode_…`.")] episode_id: ID,
                #[graphql(desc = "Why, at most 4000 characters (*skäl*).")] reason: String,
            ) -> Result<Option<ClosureOutput<'a>>> {
                let step = step(ctx)?;
                let plan = Plan::payload(ctx, "AgencyClosurePayload").checked();
                let Some(plan) = answer(ctx, plan) else { return Ok(None) };
                let wanted = episode::wanted(&plan);
                let result = step.record_agency_closure(&episode_id, &reason, plan.selection(), wanted).await;
                episode::closure(ctx, plan, result).await
            }

            /// Goes on with an episode that was closed, or whose child is gone again (*återuppta*): as a new one that is
            /// linked to it.
            async fn reopen_episode<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the episode: `episode_…`.")] episode_id: ID,
            ) -> Result<Option<EpisodeOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "EpisodePayload").checked()) else { return Ok(None) };
                let result = step.reopen_episode(&episode_id, plan.selection(), episode::wanted(&plan)).await;
                episode::payload(ctx, plan, result).await
            }

            /// Ticks an item of a checklist off (*bocka av*): one of your role's, one assigned to you, or any if you are the
            /// responsible board.
            async fn tick_item<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the item: `item_…`.")] item_id: ID,
            ) -> Result<Option<ItemOutput<'a>>> {
                let step = step(ctx)?;
                let plan = Plan::payload(ctx, "ChecklistItemPayload").checked();
                let Some(plan) = answer(ctx, plan) else { return Ok(None) };
                let result = step.tick_item(&item_id, plan.selection()).await;
                checklist::payload(ctx, plan, result).await
            }

            /// Assigns an item of a checklist to an agency (*tilldela*): the responsible board to any, others their own
            /// role's to themselves.
            async fn assign_item<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the item: `item_…`.")] item_id: ID,
                #[graphql(desc = "The agency that does it (*aktör*).")] agency_id: ID,
            ) -> Result<Option<ItemOutput<'a>>> {
                let step = step(ctx)?;
                let plan = Plan::payload(ctx, "ChecklistItemPayload").checked();
                let Some(plan) = answer(ctx, plan) else { return Ok(None) };
                let result = step.assign_item(&item_id, &agency_id, plan.selection()).await;
                checklist::payload(ctx, plan, result).await
            }

            /// Leaves an item of a checklist out, with a reason (*utelämna*). Mandatory ones are the responsible board's to
            /// leave out.
            async fn skip_item<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the item: `item_…`.")] item_id: ID,
                #[graphql(desc = "Why, at most 1000 characters (*skäl*).")] reason: String,
            ) -> Result<Option<ItemOutput<'a>>> {
                let step = step(ctx)?;
                let plan = Plan::payload(ctx, "ChecklistItemPayload").checked();
                let Some(plan) = answer(ctx, plan) else { return Ok(None) };
                let result = step.skip_item(&item_id, &reason, plan.selection()).await;
                checklist::payload(ctx, plan, result).await
            }

            /// Publishes a new version of a county's routine for missing children (*ge ut länets rutin*), as that county's
            /// board. Checklists that run keep the version that they were copied from.
            async fn publish_routine<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The county (*länskod*), two digits.")] county: String,
                #[graphql(desc = "The first day on which checklists are copied from it (*gäller från*); not before today.")]
                valid_from: Date,
                #[graphql(desc = "All of its items, at most 100 (*punkter*).")] items: Vec<RoutineItemInput>,
            ) -> Result<Option<Routine>> {
                let step = step(ctx)?;
                let items = items.into_iter().map(RoutineItemInput::read).collect();
                let result = match required_day(valid_from, "validFrom") {
                    Ok(from) => step.publish_routine(&county, from, items).await,
                    Err(error) => Err(error),
                };
                match answer(ctx, result) {
                    Some(view) => Ok(Some(Routine::of(&step, view).await)),
                    None => Ok(None),
                }
            }

            /// Hands in a worry about a child (*orosanmälan*), known to you or the hub or not. You get a receipt, which is the same
            /// whether the child is there; those who answer for the child read it.
            async fn submit_concern<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "Whom it is about, and what you have to tell (*om vem och vad*).")] about: SubmissionInput,
            ) -> Result<Option<SubmissionReceipt>> {
                submit(ctx, SubmissionKind::Concern, about).await
            }

            /// Hands in that a child was seen (*iakttagelse*); as `submitConcern`.
            async fn submit_sighting<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "Whom it is about, and what you have to tell (*om vem och vad*).")] about: SubmissionInput,
            ) -> Result<Option<SubmissionReceipt>> {
                submit(ctx, SubmissionKind::Sighting, about).await
            }

            /// Hands in what somebody knows of a child (*tips*); as `submitConcern`.
            async fn submit_tip<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "Whom it is about, and what you have to tell (*om vem och vad*).")] about: SubmissionInput,
            ) -> Result<Option<SubmissionReceipt>> {
                submit(ctx, SubmissionKind::Tip, about).await
            }

            /// Decides what becomes of a worry, a sighting or a tip (*avgör anmälan*).
            async fn decide_submission<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the submission, from `submissions`: `submission_…`.")] submission_id: ID,
                #[graphql(desc = "What is to become of it (*beslut*).")] decision: SubmissionDecision,
                #[graphql(desc = "The child that it is about, where the hub did not find it: `child_…`.")] child_id: Option<ID>,
                #[graphql(desc = "Why, at most 1000 characters (*skäl*); required to dismiss it. Its giver does not read this.")]
                reason: Option<String>,
                #[graphql(desc = "What its giver is told (*återkoppling*): of a worry, if the law obliges the giver to report.")]
                feedback: Option<SubmissionFeedback>,
            ) -> Result<Option<SubmissionPayload>> {
                let step = step(ctx)?;
                let verdict = Verdict {
                    decision: decision.into(),
                    child: child_id.map(|id| id.0),
                    reason,
                    feedback: feedback.map(Into::into),
                };
                match answer(ctx, step.decide_submission(&submission_id, &verdict).await) {
                    Some(view) => Ok(Some(SubmissionPayload::of(&step, view).await)),
                    None => Ok(None),
                }
            }

            /// Records a consent (*samtycke*): from the next answer on the partner organisation reads what it names.
            async fn grant_consent<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The consent (*samtycke*).")] consent: ConsentInput,
            ) -> Result<Option<ConsentPayload>> {
                let step = step(ctx)?;
                let result = match consent.read() {
                    Ok(new) => step.grant_consent(&child_id, &new).await,
                    Err(error) => Err(error),
                };
                match answer(ctx, result) {
                    Some(done) => Ok(Some(ConsentPayload::of(&step, done).await)),
                    None => Ok(None),
                }
            }

            /// Records that a consent was withdrawn (*återkalla samtycke*): no answer that is decided from now on rests on it.
            async fn revoke_consent<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the consent: `consent_…`.")] consent_id: ID,
            ) -> Result<Option<ConsentPayload>> {
                let step = step(ctx)?;
                match answer(ctx, step.revoke_consent(&consent_id).await) {
                    Some(done) => Ok(Some(ConsentPayload::of(&step, done).await)),
                    None => Ok(None),
                }
            }

            /// Keeps a suspected party from the record of a child (*spärra part*): a home, a chief guardian, a partner. From the
            /// next answer on the child is to it as one that never was.
            async fn block_party<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The agency, home or organisation (*part*); not one that answers for the child.")] agency_id: ID,
                #[graphql(desc = "Why, at most 1000 characters (*skäl*).")] reason: String,
            ) -> Result<Option<BlockPayload>> {
                let step = step(ctx)?;
                match answer(ctx, step.block_party(&child_id, &agency_id, &reason).await) {
                    Some(done) => Ok(Some(BlockPayload::of(&step, done).await)),
                    None => Ok(None),
                }
            }

            /// Lets a party in again (*häv spärr*).
            async fn unblock_party<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the block: `block_…`.")] block_id: ID,
            ) -> Result<Option<BlockPayload>> {
                let step = step(ctx)?;
                match answer(ctx, step.unblock_party(&block_id).await) {
                    Some(done) => Ok(Some(BlockPayload::of(&step, done).await)),
                    None => Ok(None),
                }
            }

            /// Opens the record of a child in an emergency (*nödöppning*), for 30 minutes: when a life is at stake. Those who lead
            /// the case and data protection are told at once, and each use is reviewed.
            async fn break_glass<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`; this or a number.")] child_id: Option<ID>,
                #[graphql(desc = "A number of the child (*identitetsbeteckning*).")] identifier: Option<NumberInput>,
                #[graphql(desc = "Why a life is at stake, 20 to 1000 characters (*skäl*).")] reason: String,
            ) -> Result<Option<BreakGlassPayload>> {
                let step = step(ctx)?;
                let result = match whom(child_id, identifier) {
                    Ok(named) => step.break_glass(&named, &reason).await,
                    Err(error) => Err(error),
                };
                Ok(answer(ctx, result).map(Into::into))
            }

            /// Keeps what the review of an emergency access says (*granska nödöppning*).
            async fn review_break_glass<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the access, from `breakGlassReviews`: `breakglass_…`.")] break_glass_id: ID,
                #[graphql(desc = "What the review says (*bedömning*).")] verdict: BreakGlassVerdict,
                #[graphql(desc = "Words beside it, at most 1000 characters (*kommentar*).")] comment: Option<String>,
            ) -> Result<Option<BreakGlassReviewPayload>> {
                let step = step(ctx)?;
                let result = step.review_break_glass(&break_glass_id, verdict.into(), comment.as_deref()).await;
                match answer(ctx, result) {
                    Some(view) => Ok(Some(BreakGlassReviewPayload::of(&step, view).await)),
                    None => Ok(None),
                }
            }

            /// Ends the current placement (*avsluta placering*) without another.
            async fn end_placement<'a>(
                &self,
                ctx: &Context<'a>,
                #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
                #[graphql(desc = "The `version` of the section that the change was made from (*version*).")]
                expected_version: String,
                #[graphql(desc = "The last day of the placement (*till*).")] to: Date,
            ) -> Result<Option<PayloadOutput<'a>>> {
                let step = step(ctx)?;
                let Some(plan) = answer(ctx, Plan::payload(ctx, "ChildPayload").checked()) else { return Ok(None) };
                let result = match required_day(to, "to") {
                    Ok(to) => step.end_placement(&child_id, &expected_version, to, plan.selection()).await,
                    Err(error) => Err(error),
                };
                payload(ctx, plan, result).await
            }
        }
    };
}

fn required_day(date: Date, argument: &str) -> std::result::Result<chrono::NaiveDate, Error> {
    day(Some(date), &[argument])?.ok_or_else(|| Error::refused(ErrorCode::InvalidDate, [argument]))
}

mutations! {
    Identity update_identity "Changes the identity section (*identitet*).",
    Protection update_protection "Changes the protection section (*skyddade personuppgifter*). Setting `REGISTERED` empties the address of stay and the school, for good.",
    Asylum update_asylum "Changes the asylum section (*asylärende*).",
    Responsibility update_responsibility "Changes the responsibility section (*ansvar*).",
    Placement update_placement "Corrects the current placement (*placering*); a move is `startPlacement`.",
    Guardianship update_guardianship "Changes the guardianship section (*god man*).",
    Health update_health "Changes the health section (*hälsa*).",
    Schooling update_schooling "Changes the schooling section (*skolgång*).",
    Network update_network "Changes the network section (*nätverk*).",
    Voice update_voice "Changes the voice section (*barnets egna ord*).",
    Description update_description "Changes the description section (*signalement*).",
    Risk update_risk "Changes the risk section (*riskbedömning*).",
    SafetyPlan update_safety_plan "Changes the safety plan (*trygghetsplan*).",
}

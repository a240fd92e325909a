//! What can be changed. Every change names the version it was made from, and is all or nothing.

use super::child::{Answer, PayloadOutput, Plan, SuggestionOutput};
use super::consent::{BlockPayload, ConsentInput, ConsentPayload};
use super::emergency::{BreakGlassPayload, BreakGlassReviewPayload, BreakGlassVerdict, whom};
use super::error::answer;
use super::inputs::{self, Clear, CorrectionInput, IdentifierInput, Patch, RegisterChildInput, patch};
use super::scalars::Date;
use super::submission::{
    NumberInput, SubmissionDecision, SubmissionFeedback, SubmissionInput, SubmissionPayload, SubmissionReceipt,
};
use async_graphql::{Context, ID, Object, Result};
use samverka_domain::catalogue::{Invalid, Kind, Value};
use samverka_domain::error::{Error, ErrorCode, Refusal};
use samverka_domain::session::{NewChild, NewIdentifier, Session, Step, Verdict};
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
    match Kind::Date.read(&json) {
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
                let result = match required_day(to) {
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
                let result = match required_day(to) {
                    Ok(to) => step.end_placement(&child_id, &expected_version, to, plan.selection()).await,
                    Err(error) => Err(error),
                };
                payload(ctx, plan, result).await
            }
        }
    };
}

fn required_day(date: Date) -> std::result::Result<chrono::NaiveDate, Error> {
    day(Some(date), &["to"])?.ok_or_else(|| Error::refused(ErrorCode::InvalidDate, ["to"]))
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

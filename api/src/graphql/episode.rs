//! Missing episodes: the inputs of their steps, and what is told of them.

use super::checklist;
use super::child::{Answer, ClosureOutput, EpisodeOutput, Plan, timestamp};
use super::error::answer;
use super::json::project;
use super::plan::nodes;
use super::scalars::add;
use super::types::{FieldType, object};
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::{
    Context, ContextSelectionSet, Enum, ID, InputObject, InputType, OutputType, Positioned, Result, ServerResult, Value,
};
use chrono::{DateTime, Utc};
use samverka_domain::episode::{FollowUp, State};
use samverka_domain::error::Error;
use samverka_domain::session::{EpisodeSelection, NewEpisode};
use samverka_domain::view::{EpisodeAnswer, EpisodeView};
use serde_json::{Value as Json, json};
use std::borrow::Cow;

/// How far a missing episode has come (*läge*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub(super) enum EpisodeState {
    /// No episode is open (*inte försvunnet*).
    NotMissing,
    /// The child may be missing; nobody has told the police yet (*misstänkt*).
    Suspected,
    /// The child is reported missing to the police (*anmält*).
    Reported,
    /// The police search (*eftersöks*).
    Searching,
    /// Somebody knows where the child is (*lokaliserat*).
    Located,
    /// The child is safe; what follows is left (*i säkerhet*).
    Safe,
    /// It has ended (*avslutat*).
    Closed,
}

/// A part of what follows when a missing child was found (*uppföljning*, F60).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "FollowUp")]
pub(super) enum FollowUpKind {
    /// A talk about why, where and with whom (*återkomstsamtal*).
    ReturnTalk,
    /// A health check (*hälsokontroll*); health care records it itself.
    HealthCheck,
    /// A screening for exploitation and trafficking (*screening för utnyttjande och människohandel*).
    ExploitationScreening,
    /// A review of the placement, the risks and the safety plan (*översyn av placeringen*).
    PlacementReview,
}

/// A disappearance to report (*anmälan om försvunnet barn*).
#[derive(InputObject)]
pub(super) struct ReportMissingInput {
    /// When the child was last seen (*senast sedd*); not ahead of now.
    last_seen_at: DateTime<Utc>,
    /// Where, at most 200 characters (*plats*).
    last_seen_place: Option<String>,
    /// What happened, and what those near the child think, at most 4000 characters (*omständigheter*).
    circumstances: Option<String>,
    /// What the child wore, at most 4000 characters (*klädsel*).
    clothing: Option<String>,
    /// The child may be missing, and nobody has told the police yet (*misstänkt*); false where it is left out.
    suspected: Option<bool>,
    /// The police agency that is to search (*polisens enhet*): it is involved with the child from now.
    police_agency_id: Option<ID>,
}

impl ReportMissingInput {
    pub(super) fn read(self) -> NewEpisode {
        let ReportMissingInput { last_seen_at, last_seen_place, circumstances, clothing, suspected, police_agency_id } =
            self;
        NewEpisode {
            last_seen_at: last_seen_at.timestamp_micros(),
            last_seen_place,
            circumstances,
            clothing,
            suspected: suspected.unwrap_or(false),
            police_agency: police_agency_id.map(|id| id.0),
        }
    }
}

/// What is asked for besides the child.
pub(super) fn wanted(plan: &Plan) -> EpisodeSelection {
    EpisodeSelection { checklist: plan.asks("checklist"), report: plan.asks("minimumReport") }
}

/// The payload of a step.
pub(super) async fn payload<'a>(
    ctx: &Context<'a>,
    plan: Plan,
    result: std::result::Result<EpisodeAnswer, Error>,
) -> Result<Option<EpisodeOutput<'a>>> {
    Ok(filled(ctx, plan, result).await?.map(EpisodeOutput))
}

/// The payload of `recordAgencyClosure`.
pub(super) async fn closure<'a>(
    ctx: &Context<'a>,
    plan: Plan,
    result: std::result::Result<EpisodeAnswer, Error>,
) -> Result<Option<ClosureOutput<'a>>> {
    Ok(filled(ctx, plan, result).await?.map(ClosureOutput))
}

async fn filled<'a>(
    ctx: &Context<'a>,
    plan: Plan,
    result: std::result::Result<EpisodeAnswer, Error>,
) -> Result<Option<Answer<'a>>> {
    let Some(EpisodeAnswer { view, episode, checklist, report, warns }) = answer(ctx, result) else {
        return Ok(None);
    };
    let answer = Answer::one(ctx, plan, view).await?;
    let checklist = match &checklist {
        Some(checklist) => checklist::to_json(answer.session(), checklist).await,
        None => Json::Null,
    };
    Ok(Some(answer.with_beside(json!({
        "episode": episode.as_ref().map(to_json),
        "checklist": checklist,
        "minimumReport": report.map(|text| json!({ "text": text })),
        "warning": warns.then(warning),
    }))))
}

fn warning() -> Json {
    json!({
        "en": "the child is under 18 and not found: the episode stays open, and others go on searching",
        "sv": "barnet är under 18 år och inte återfunnet: försvinnandet är fortsatt öppet, och andra söker vidare",
    })
}

/// An episode, with the names of the fields of `Episode`.
pub(super) fn to_json(view: &EpisodeView) -> Json {
    let EpisodeView { id, state, opened_at, located_at, found_at, closed_at, reopens, next } = view;
    json!({
        "id": id,
        "state": state.map(|state| state.code()),
        "openedAt": opened_at.map(timestamp),
        "locatedAt": located_at.map(timestamp),
        "foundAt": found_at.map(timestamp),
        "closedAt": closed_at.map(timestamp),
        "reopens": reopens,
        "next": next,
    })
}

/// An episode in a list.
pub(super) struct Episode(pub(super) Json);

impl OutputType for Episode {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Episode")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Object, |registry| {
            <ID as OutputType>::create_type_info(registry);
            <String as OutputType>::create_type_info(registry);
            <DateTime<Utc> as OutputType>::create_type_info(registry);
            <EpisodeState as InputType>::create_type_info(registry);
            let fields = vec![
                FieldType::new("id", "ID!", "The id of the episode: `episode_…`."),
                FieldType::new("state", "EpisodeState", "How far it has come (*läge*), to whom the record shows it."),
                FieldType::new(
                    "openedAt",
                    "DateTime",
                    "When the child was reported missing (*anmält*), to whom the record shows it.",
                ),
                FieldType::new("locatedAt", "DateTime", "When somebody knew where the child was (*lokaliserat*)."),
                FieldType::new(
                    "foundAt",
                    "DateTime",
                    "When the child was safe (*återfunnet*): widened access ends 72 hours after.",
                ),
                FieldType::new("closedAt", "DateTime", "When it ended (*avslutat*)."),
                FieldType::new("reopens", "ID", "The episode that this one goes on with (*återupptar*)."),
                FieldType::new(
                    "next",
                    "[String!]!",
                    "The mutations that its state allows now (*nästa steg*); none to whom the state is not shown.",
                ),
            ];
            object(
                "Episode",
                "A missing episode (*försvinnande*): how far it has come and when, for those who take part in it.",
                fields,
            )
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        Ok(project(&self.0, &Self::type_name(), &nodes(&ctx.with_field(field))))
    }
}

/// The fields that every payload of a step has, besides the child.
pub(super) fn register(registry: &mut Registry) -> Vec<FieldType> {
    <Episode as OutputType>::create_type_info(registry);
    let text = vec![FieldType::new(
        "text",
        "String!",
        "The text, in Swedish. What is withheld from you is named as withheld, with whom to ask.",
    )];
    let description =
        "What the police need to begin (*minsta underlag till polisen*), from what the record shows you now.";
    add(registry, object("MinimumReport", description, text));
    vec![
        FieldType::new(
            "episode",
            "Episode",
            "The episode as it is now; null where you may not know of it any more (*försvinnande*).",
        ),
        checklist::field(registry),
        FieldType::new(
            "minimumReport",
            "MinimumReport",
            "One text that the police can file, for the agency that reported the child missing (*underlag*).",
        ),
    ]
}

/// `warning` of an agency's own closure.
pub(super) fn register_warning(registry: &mut Registry) -> FieldType {
    let fields = vec![
        FieldType::new("en", "String!", "The warning, in English."),
        FieldType::new("sv", "String!", "The warning, in Swedish (*varning*)."),
    ];
    add(registry, object("ClosureWarning", "What closing one's own matter may lead to (*varning*).", fields));
    FieldType::new("warning", "ClosureWarning", "While the child is under 18 and not found (*varning*).")
}

//! Handovers, readiness, and who answers for a child, as the session's views tell of them.

use super::child::ChildOutput;
use super::child::{Agencies, Answer, Plan, agencies, register_details, timestamp};
use super::error::answer;
use super::json::project;
use super::plan::{Node, nodes};
use super::scalars::{Date, add, register, type_name};
use super::types::{FieldType, object};
use async_graphql::connection::PageInfo;
use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaTypeId, Registry};
use async_graphql::{
    Context, ContextSelectionSet, Enum, InputObject, InputType, OutputType, Positioned, Result, ServerResult, Value,
};
use chrono::{DateTime, Utc};
use samverka_domain::catalogue::FieldId;
use samverka_domain::error::Error;
use samverka_domain::handover::{
    Fact, HandoverView, Involved, Kind, Readiness, ResponsibilityView, SectionReadiness, State, TOLD, Tenure,
    Unfinished,
};
use samverka_domain::ids::AgencyId;
use samverka_domain::policy::{Rule, RuleId};
use samverka_domain::session::Session;
use samverka_domain::view::{ChildView, Page};
use serde_json::{Map, Value as Json, json};
use std::borrow::Cow;

/// What is handed over, and why (*slag av överlämning*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Kind")]
pub(super) enum HandoverKind {
    /// The child moves to the municipality that it was assigned to (*anvisning*). The lead moves at the arrival.
    Assignment,
    /// The child moves to another home (*omplacering*). Who the child stays with moves at the arrival; the placement is the
    /// board's to write.
    Replacement,
    /// The case moves to another board (*överflyttning av ärende*). Legal responsibility moves at the acceptance, the lead at
    /// the arrival.
    CaseTransfer,
    /// The supervision of the guardian moves to another chief guardian (*byte av överförmyndare*).
    GuardianChange,
    /// Who has come of age moves to the reception of adults (*vuxenmottagande*). The lead moves at the arrival, and legal
    /// responsibility ends.
    AdultReception,
    /// Migrationsverket takes the case over for a return (*återvändande*). The lead moves at the arrival.
    Return,
}

/// Where a handover stands (*läge*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "State")]
pub(super) enum HandoverState {
    /// The receiver has not answered (*erbjuden*).
    Offered,
    /// The receiver waits for the child (*mottagen*).
    Accepted,
    /// The receiver said no (*avböjd*).
    Refused,
    /// The sender took it back (*återtagen*).
    Withdrawn,
    /// The child has left (*på väg*).
    Travelling,
    /// The receiver has confirmed that the child is there (*framme*).
    Arrived,
    /// The child did not come (*inte framme*). It may come late, be expected anew, or be missing.
    NotArrived,
    /// It came to an end in a missing episode (*avslutad*).
    Closed,
}

/// One of the three facts about who answers for a child (*uppgift om ansvar*).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "Fact")]
pub(super) enum ResponsibilityFact {
    /// Who holds the child's case (*ledande aktör*).
    Lead,
    /// Who is legally responsible (*ansvarig nämnd*).
    Responsible,
    /// Who the child stays with (*boende*).
    Whereabouts,
}

/// What the sender tells with a handover (*uppgifter om överlämningen*). Before it accepts, the receiver sees the contact only.
#[derive(Default, InputObject)]
pub(super) struct HandoverDetailsInput {
    /// Somebody at the sender who knows (*kontaktperson*). At most 100 characters.
    contact_name: Option<String>,
    /// That person's telephone (*kontaktpersonens telefon*): E.164 or national form.
    contact_phone: Option<String>,
    /// The number of the decision that it rests on (*beslutsnummer*). At most 50 characters.
    decision_number: Option<String>,
    /// The day of that decision (*beslutsdatum*).
    decided_on: Option<Date>,
    /// Who travels with the child (*ledsagare*). At most 200 characters.
    escort: Option<String>,
    /// How the child travels: train, ticket, times (*biljett*). At most 200 characters.
    ticket: Option<String>,
    /// Who meets the child, where and when (*mottagande på plats*). At most 500 characters.
    meeting: Option<String>,
    /// The unit that receives the child (*mottagande enhet*). At most 200 characters.
    unit: Option<String>,
    /// What else the receiver must know (*anteckning*). At most 1000 characters.
    note: Option<String>,
}

impl HandoverDetailsInput {
    pub(super) fn into_map(self) -> Map<String, Json> {
        let HandoverDetailsInput { contact_name, contact_phone, decision_number, decided_on, .. } = self;
        let HandoverDetailsInput { escort, ticket, meeting, unit, note, .. } = self;
        let given = [
            ("contactName", contact_name.map(Json::from)),
            ("contactPhone", contact_phone.map(Json::from)),
            ("decisionNumber", decision_number.map(Json::from)),
            ("decidedOn", decided_on.map(|date| date.0).filter(|date| !date.is_null())),
            ("escort", escort.map(Json::from)),
            ("ticket", ticket.map(Json::from)),
            ("meeting", meeting.map(Json::from)),
            ("unit", unit.map(Json::from)),
            ("note", note.map(Json::from)),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    }
}

/// An instant in microseconds since 1970.
pub(super) fn micros(at: DateTime<Utc>) -> i64 {
    at.timestamp_micros()
}

/// `HandoverPayload`.
pub(super) struct HandoverPayload<'a> {
    child: Option<Answer<'a>>,
    handover: Json,
}

impl<'a> HandoverPayload<'a> {
    pub(super) fn plan(ctx: &Context<'_>) -> Plan {
        Plan::payload(ctx, "HandoverPayload")
    }

    pub(super) async fn of(
        ctx: &Context<'a>,
        plan: Plan,
        result: std::result::Result<(Option<ChildView>, Option<HandoverView>), Error>,
    ) -> Result<Option<Self>> {
        let Some((child, view)) = answer(ctx, result) else { return Ok(None) };
        let session: &std::sync::Arc<Session> = ctx.data()?;
        let handover = match &view {
            Some(view) => to_json(view, &agencies(session, named(view)).await),
            None => Json::Null,
        };
        let child = match child {
            Some(view) => Some(Answer::one(ctx, plan, view).await?),
            None => None,
        };
        Ok(Some(HandoverPayload { child, handover }))
    }
}

impl OutputType for HandoverPayload<'_> {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("HandoverPayload")
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<HandoverPayload<'_>, _>(MetaTypeId::Object, |registry| {
            <ChildOutput<'_> as OutputType>::create_type_info(registry);
            register_handover(registry);
            let fields = vec![
                FieldType::new(
                    "child",
                    "Child",
                    "The child as it is now; null where you may not know of it, or not any more.",
                ),
                FieldType::new(
                    "handover",
                    "Handover",
                    "The handover as it is now; null where an assignment leaves nothing to hand over.",
                ),
            ];
            object("HandoverPayload", "What a step of a handover gives.", fields)
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let shown = self.child.as_ref().map(Answer::show);
        let mut map = IndexMap::new();
        for node in nodes(&ctx.with_field(field)) {
            let value = match node.name.as_str() {
                "child" => match &shown {
                    Some(Value::Object(shown)) => shown.get(&node.key).cloned().unwrap_or_default(),
                    _ => Value::Null,
                },
                "handover" => project(&self.handover, "Handover", &node.children),
                _ => Value::from("HandoverPayload"),
            };
            map.insert(node.key, value);
        }
        Ok(Value::Object(map))
    }
}

macro_rules! plain {
    ($(#[$meta:meta])* $name:ident, $graphql:literal, $register:expr) => {
        $(#[$meta])*
        pub(super) struct $name(Json);

        impl OutputType for $name {
            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed($graphql)
            }

            fn create_type_info(registry: &mut Registry) -> String {
                registry.create_output_type::<Self, _>(MetaTypeId::Object, $register)
            }

            async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
                let selected: Vec<Node> = nodes(&ctx.with_field(field));
                Ok(project(&self.0, $graphql, &selected))
            }
        }
    };
}

plain!(
    /// `Handover`.
    HandoverOutput, "Handover", handover_type
);
plain!(
    /// `HandoverConnection`.
    HandoversOutput, "HandoverConnection", |registry| {
        <HandoverOutput as OutputType>::create_type_info(registry);
        let info = <PageInfo as OutputType>::create_type_info(registry);
        let edge = vec![
            FieldType::new("cursor", "String!", "Where the handover stands in the list; opaque."),
            FieldType::new("node", "Handover!", "The handover."),
        ];
        add(registry, object("HandoverEdge", "A handover in a list (Relay).", edge));
        let fields = vec![
            FieldType::new("edges", "[HandoverEdge!]!", "The handovers of the page, with their cursors."),
            FieldType::new("nodes", "[Handover!]!", "The handovers of the page."),
            FieldType::new("pageInfo", info, "Whether more follow, and from where."),
        ];
        object("HandoverConnection", "A page of handovers (Relay). It has no total.", fields)
    }
);
plain!(
    /// `HandoverReadiness`.
    ReadinessOutput, "HandoverReadiness", readiness_type
);
plain!(
    /// `ResponsibilityAt`.
    ResponsibilityOutput, "ResponsibilityAt", responsibility_type
);

impl HandoverOutput {
    pub(super) async fn of(session: &Session, view: &HandoverView) -> Self {
        HandoverOutput(to_json(view, &agencies(session, named(view)).await))
    }
}

impl HandoversOutput {
    pub(super) async fn of(session: &Session, page: &Page<HandoverView>, after: bool) -> Self {
        let agencies = agencies(session, page.items.iter().flat_map(|(_, view)| named(view))).await;
        let nodes: Vec<Json> = page.items.iter().map(|(_, view)| to_json(view, &agencies)).collect();
        let edge = |((cursor, _), node): (&(String, HandoverView), &Json)| json!({ "cursor": cursor, "node": node });
        let edges: Vec<Json> = page.items.iter().zip(&nodes).map(edge).collect();
        let info = json!({
            "hasNextPage": page.has_next,
            "hasPreviousPage": after,
            "startCursor": page.items.first().map(|(cursor, _)| cursor),
            "endCursor": page.items.last().map(|(cursor, _)| cursor),
        });
        HandoversOutput(json!({ "nodes": nodes, "edges": edges, "pageInfo": info }))
    }
}

impl ReadinessOutput {
    pub(super) async fn of(session: &Session, readiness: &Readiness) -> Self {
        let Readiness { kind, to, purpose, on_acceptance, on_arrival, unfinished } = readiness;
        let agencies = agencies(session, [*to].into_iter()).await;
        let sections = |sections: &[SectionReadiness]| {
            let section = |seen: &SectionReadiness| {
                json!({
                    "section": seen.section.name(),
                    "visible": seen.visible.iter().map(|id| id.field().name).collect::<Vec<_>>(),
                    "withheld": seen.withheld.iter().map(|(id, rule)| withheld(session, *id, *rule)).collect::<Vec<_>>(),
                })
            };
            sections.iter().map(section).collect::<Vec<_>>()
        };
        let item = |item: &Unfinished| {
            let Unfinished { id, key, actor, sv, en, mandatory } = item;
            let begun = id.is_some();
            json!({ "id": id, "key": key, "begun": begun, "actor": actor, "text": sv, "textEn": en, "mandatory": mandatory })
        };
        ReadinessOutput(json!({
            "kind": kind.code(),
            "to": agencies.get(to),
            "purpose": purpose.code(),
            "onAcceptance": sections(on_acceptance),
            "onArrival": sections(on_arrival),
            "unfinished": unfinished.iter().map(item).collect::<Vec<_>>(),
        }))
    }
}

impl ResponsibilityOutput {
    pub(super) async fn of(session: &Session, view: &ResponsibilityView) -> Self {
        let ResponsibilityView { at, facts, history, involved, withheld: hidden } = view;
        let named = history.iter().map(|tenure| tenure.agency).chain(involved.iter().map(|one| one.agency));
        let agencies = agencies(session, named).await;
        let involvement = |involved: &Involved| {
            let Involved { agency, unit, from, to } = involved;
            json!({ "agency": agencies.get(agency), "unit": unit, "from": timestamp(*from), "to": to.map(timestamp) })
        };
        let tenure = |tenure: &Tenure| {
            let Tenure { fact, agency, unit, from, to } = tenure;
            json!({
                "fact": fact.code(),
                "agency": agencies.get(agency),
                "unit": unit,
                "from": timestamp(*from),
                "to": to.map(timestamp),
            })
        };
        let then = |fact: Fact| facts.iter().find(|tenure| tenure.fact == fact).map(tenure);
        ResponsibilityOutput(json!({
            "at": timestamp(*at),
            "lead": then(Fact::Lead),
            "responsible": then(Fact::Responsible),
            "whereabouts": then(Fact::Whereabouts),
            "history": history.iter().map(tenure).collect::<Vec<_>>(),
            "involved": involved.iter().map(involvement).collect::<Vec<_>>(),
            "withheld": hidden.iter().map(|(id, rule)| withheld(session, *id, *rule)).collect::<Vec<_>>(),
        }))
    }
}

fn withheld(session: &Session, id: FieldId, rule: RuleId) -> Json {
    let group = id.group();
    let decided: &Rule = session.engine().rule(rule);
    let ground = if rule == RuleId::DEFAULT { group.basis } else { decided.basis.as_str() };
    json!({
        "field": id.field().name,
        "number": id.field().number,
        "rule": decided.id,
        "reason": decided.en,
        "reasonSv": decided.sv,
        "legalGround": ground,
        "ask": group.owner.0,
        "askSv": group.owner.1,
    })
}

/// The agencies that a handover names.
fn named(view: &HandoverView) -> impl Iterator<Item = AgencyId> {
    [Some(view.from), view.to].into_iter().flatten()
}

/// A handover, with the names of the fields of `Handover`.
fn to_json(view: &HandoverView, agencies: &Agencies) -> Json {
    let receipt = |(section, version): &(String, String)| json!({ "section": section, "version": version });
    json!({
        "id": view.id,
        "childId": view.child,
        "kind": view.kind.code(),
        "state": view.state.code(),
        "overdue": view.overdue,
        "urgent": view.urgent,
        "from": agencies.get(&view.from),
        "to": view.to.and_then(|to| agencies.get(&to)),
        "proposedAt": timestamp(view.proposed_at),
        "expectedAt": timestamp(view.expected_at),
        "acceptedAt": view.accepted_at.map(timestamp),
        "departedAt": view.departed_at.map(timestamp),
        "arrivedAt": view.arrived_at.map(timestamp),
        "endedAt": view.ended_at.map(timestamp),
        "details": view.details.to_json(),
        "reason": view.reason,
        "receipt": view.receipt.iter().map(receipt).collect::<Vec<_>>(),
        "next": view.next,
    })
}

fn register_handover(registry: &mut Registry) {
    <HandoverOutput as OutputType>::create_type_info(registry);
}

fn handover_type(registry: &mut Registry) -> async_graphql::registry::MetaType {
    register_details(registry);
    <async_graphql::ID as OutputType>::create_type_info(registry);
    <HandoverKind as InputType>::create_type_info(registry);
    <HandoverState as InputType>::create_type_info(registry);
    let details = TOLD.iter().map(|told| {
        register(registry, told.kind);
        FieldType::new(told.name, type_name(told.kind, false), format!("{} (*{}*)", told.en, told.sv))
    });
    let details = details.collect();
    let description = "What the sender tells with a handover (*uppgifter om överlämningen*). Before it accepts, the receiver sees the contact only.";
    add(registry, object("HandoverDetails", description, details));
    let receipt = vec![
        FieldType::new("section", "String!", "A section that the receiver saw (*avsnitt*), as `Child` names it."),
        FieldType::new("version", "String!", "Its version, as the receiver saw it (*version*)."),
    ];
    add(
        registry,
        object("HandoverReceipt", "A section that the receiver confirmed to have got (*kvittens*).", receipt),
    );
    let fields = vec![
        FieldType::new("id", "ID!", "The id of the handover: `handover_…`."),
        FieldType::new(
            "childId",
            "ID",
            "The child; null where you may not know of it: before you accept, or not any more.",
        ),
        FieldType::new("kind", "HandoverKind!", "What is handed over, and why (*slag*)."),
        FieldType::new("state", "HandoverState!", "Where it stands (*läge*)."),
        FieldType::new("overdue", "Boolean!", "Whether it is open and the expected arrival has passed (*försenad*)."),
        FieldType::new("urgent", "Boolean!", "Whether the sender asks for an answer at once (*brådskande*)."),
        FieldType::new("from", "Agency!", "The agency that hands over (*från*)."),
        FieldType::new(
            "to",
            "Agency",
            "The agency that receives (*till*); null once it has ended where you may not know where the child went.",
        ),
        FieldType::new("proposedAt", "DateTime!", "When it was offered (*erbjuden*)."),
        FieldType::new("expectedAt", "DateTime!", "When the child is expected to be there (*väntas framme*)."),
        FieldType::new(
            "acceptedAt",
            "DateTime",
            "When the receiver accepted (*mottagen*); withheld with `to`, as what follows.",
        ),
        FieldType::new("departedAt", "DateTime", "When the child left (*avrest*)."),
        FieldType::new("arrivedAt", "DateTime", "When the child came (*framme*)."),
        FieldType::new("endedAt", "DateTime", "When it came to an end (*avslutad*)."),
        FieldType::new(
            "details",
            "HandoverDetails!",
            "What the sender tells with it (*uppgifter*): the contact, and to whom the child's address is shown all else.",
        ),
        FieldType::new("reason", "String", "Why it was refused, withdrawn or not completed (*skäl*)."),
        FieldType::new("receipt", "[HandoverReceipt!]!", "What the receiver confirmed to have got (*kvittens*)."),
        FieldType::new("next", "[String!]!", "The mutations that you can go on with (*nästa steg*)."),
    ];
    let description = "A handover of a child from one agency to another (*överlämning*, F28), as its parties see it.";
    object("Handover", description, fields)
}

fn readiness_type(registry: &mut Registry) -> async_graphql::registry::MetaType {
    register_details(registry);
    <async_graphql::ID as OutputType>::create_type_info(registry);
    <HandoverKind as InputType>::create_type_info(registry);
    <super::query::Purpose as InputType>::create_type_info(registry);
    let section = vec![
        FieldType::new("section", "String!", "The section, as `Child` names it (*avsnitt*)."),
        FieldType::new("visible", "[String!]!", "The fields that the receiver will see (*ser*)."),
        FieldType::new("withheld", "[Withheld!]!", "The fields that it will not, and why (*ser inte*)."),
    ];
    add(registry, object("SectionReadiness", "What a receiver will see of a section (*avsnitt*).", section));
    let item = vec![
        FieldType::new("id", "ID", "The id of the item: `item_…`; none before the handover is proposed."),
        FieldType::new(
            "begun",
            "Boolean!",
            "Whether a checklist holds it; false for what a proposal would bring (*påbörjad*).",
        ),
        FieldType::new("key", "String!", "What the routine, and a refusal, call it (*beteckning*)."),
        FieldType::new("actor", "String!", "Whose it is, as a role of the routine (*ansvarig*)."),
        FieldType::new("text", "String!", "What is to be done, in Swedish (*punkt*)."),
        FieldType::new("textEn", "String!", "The same in English."),
        FieldType::new("mandatory", "Boolean!", "Whether the departure waits for it (*måste*)."),
    ];
    let description =
        "An item of a checklist that nobody has done or skipped, or that a proposal would bring (*kvar att göra*).";
    add(registry, object("UnfinishedItem", description, item));
    let fields = vec![
        FieldType::new("kind", "HandoverKind!", "What would be handed over (*slag*)."),
        FieldType::new("to", "Agency!", "The agency that would receive (*till*)."),
        FieldType::new("purpose", "Purpose!", "The purpose that the receiver is taken to state (*ändamål*)."),
        FieldType::new(
            "onAcceptance",
            "[SectionReadiness!]!",
            "What it would see from the acceptance on (*vid mottagande*).",
        ),
        FieldType::new(
            "onArrival",
            "[SectionReadiness!]!",
            "What it would see from the confirmed arrival on (*vid ankomst*).",
        ),
        FieldType::new(
            "unfinished",
            "[UnfinishedItem!]!",
            "What the checklist of the open handover still lacks; before the proposal, what it would hold (*kvar att göra*).",
        ),
    ];
    object("HandoverReadiness", "A handover with the receiver's eyes (*beredskap för överlämning*).", fields)
}

fn responsibility_type(registry: &mut Registry) -> async_graphql::registry::MetaType {
    register_details(registry);
    <ResponsibilityFact as InputType>::create_type_info(registry);
    let tenure = vec![
        FieldType::new("fact", "ResponsibilityFact!", "Which of the facts (*uppgift*)."),
        FieldType::new("agency", "Agency!", "The agency (*aktör*)."),
        FieldType::new("unit", "String", "Its unit (*enhet*)."),
        FieldType::new("from", "DateTime!", "From when on (*från*)."),
        FieldType::new("to", "DateTime", "Until when (*till*); null while it goes on."),
    ];
    let description = "An agency that answers or answered for a child, from when to when (*ansvarsperiod*).";
    add(registry, object("ResponsibilityPeriod", description, tenure));
    let involved = vec![
        FieldType::new("agency", "Agency!", "The agency (*aktör*)."),
        FieldType::new("unit", "String", "Its unit (*enhet*)."),
        FieldType::new("from", "DateTime!", "From when on (*från*)."),
        FieldType::new("to", "DateTime", "Until when (*till*); null while it goes on."),
    ];
    let description = "An agency with a matter of its own about a child, from when to when (*berörd aktör*).";
    add(registry, object("InvolvedAgency", description, involved));
    let fields = vec![
        FieldType::new("at", "DateTime!", "The instant (*tidpunkt*)."),
        FieldType::new("lead", "ResponsibilityPeriod", "Who held the child's case then (*ledande aktör*)."),
        FieldType::new("responsible", "ResponsibilityPeriod", "Who was legally responsible then (*ansvarig nämnd*)."),
        FieldType::new("whereabouts", "ResponsibilityPeriod", "The home that the child stayed with then (*boende*)."),
        FieldType::new(
            "history",
            "[ResponsibilityPeriod!]!",
            "All that you may see, before and after, earliest first (*historik*).",
        ),
        FieldType::new(
            "involved",
            "[InvolvedAgency!]!",
            "Who had a matter of its own about the child then (*berörda aktörer*): all that may be told to whoever may let \
             agencies in, and to others their own.",
        ),
        FieldType::new(
            "withheld",
            "[Withheld!]!",
            "What is withheld from you, and why. What is withheld is not empty.",
        ),
    ];
    object("ResponsibilityAt", "Who answered for a child at an instant (*ansvar vid en tidpunkt*).", fields)
}

//! What can be asked.

use super::agency::{AgencyObject, Kind as AgencyKind};
use super::checklist::{self, ChecklistOutput, Routine};
use super::child::{Answer, ChildOutput, ConnectionOutput, Plan, timestamp};
use super::consent::{Consent, PartyBlock};
use super::emergency::BreakGlassConnection;
use super::episode::{self, Episode};
use super::error::answer;
use super::feed::{ChangesObject, OverdueConnection};
use super::filter::{ChildFilter, ChildOrder};
use super::handover::{
    HandoverKind, HandoverOutput, HandoverState, HandoversOutput, ReadinessOutput, ResponsibilityOutput, micros,
};
use super::inputs::IdentifierKind;
use super::lookup::LookupConnection;
use super::submission::{OwnSubmissionConnection, SubmissionConnection, SubmissionState};
use super::suggestion::{SuggestionState, SuggestionsOutput};
use async_graphql::connection::PageInfo;
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use chrono::{DateTime, Utc};
use samverka_domain::catalogue::{Code, FieldId};
use samverka_domain::error::{Error, ErrorCode, Refusal};
use samverka_domain::policy::{Purpose as DomainPurpose, Role as DomainRole, Verb};
use samverka_domain::session::{ListRequest, LogEntry, Session};
use std::sync::Arc;

/// The questions of the hub.
pub struct Query;

/// What can be asked of the hub (*frågor*).
#[Object]
impl Query {
    /// Who you are to the hub (*vem är jag*): your role, your agency, and the purposes you may state.
    async fn me<'a>(&self, ctx: &Context<'a>) -> Result<Me> {
        let session: &Arc<Session> = ctx.data()?;
        Ok(Me {
            role: session.caller().role.into(),
            agency: AgencyObject::from(&*session.caller().agency),
            purposes: session.purposes().map(Purpose::from).collect(),
        })
    }

    /// A child by its id (*barn*). An id that never was and one you may not know give the same answer.
    async fn child<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] id: ID,
    ) -> Result<Option<ChildOutput<'a>>> {
        let session: &Arc<Session> = ctx.data()?;
        let Some(plan) = answer(ctx, Plan::child(ctx).checked()) else { return Ok(None) };
        let result = session.child(&id, plan.selection()).await;
        match answer(ctx, result) {
            Some(view) => Ok(Some(ChildOutput(Answer::one(ctx, plan, view).await?))),
            None => Ok(None),
        }
    }

    /// A child by a number that you may search by (*identitetsbeteckning*).
    async fn child_by_identifier<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "What kind of number it is (*slag*).")] kind: IdentifierKind,
        #[graphql(desc = "The number; check digits are checked (*nummer*).")] value: String,
    ) -> Result<Option<ChildOutput<'a>>> {
        let session: &Arc<Session> = ctx.data()?;
        let Some(plan) = answer(ctx, Plan::child(ctx).checked()) else { return Ok(None) };
        let result = session.child_by_identifier(kind.into(), &value, plan.selection()).await;
        match answer(ctx, result) {
            Some(view) => Ok(Some(ChildOutput(Answer::one(ctx, plan, view).await?))),
            None => Ok(None),
        }
    }

    /// The children that you may know of (*barn*); without an order in one that means nothing.
    async fn children<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "Only children that qualify (*urval*).")] filter: Option<ChildFilter>,
        #[graphql(desc = "The order (*ordning*).")] order_by: Option<ChildOrder>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before, with the same filter and order (*efter*).")]
        after: Option<String>,
    ) -> Result<Option<ConnectionOutput<'a>>> {
        let session: &Arc<Session> = ctx.data()?;
        let Some(plan) = answer(ctx, Plan::connection(ctx).checked()) else { return Ok(None) };
        let is_later = after.is_some();
        let filter = filter.map(|filter| filter.into_domain(&["filter".to_owned()]));
        let request =
            ListRequest { filter, order: order_by.map(Into::into), first, after, every_cursor: plan.shows_cursors() };
        match answer(ctx, session.children(request, plan.selection()).await) {
            Some(page) => Ok(Some(ConnectionOutput(Answer::page(ctx, plan, page, is_later).await?))),
            None => Ok(None),
        }
    }

    /// The agencies of the hub (*aktörer*), by name.
    async fn agencies<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "Only agencies of this kind (*typ*).")] kind: Option<AgencyKind>,
        #[graphql(desc = "Only agencies of this municipality (*kommunkod*), four digits.")] municipality: Option<
            String,
        >,
    ) -> Result<Option<Vec<AgencyObject>>> {
        let session: &Arc<Session> = ctx.data()?;
        if municipality.as_deref().is_some_and(|code| !Code::Municipality.contains(code)) {
            let unknown = Refusal::at(ErrorCode::UnknownCode, ["municipality"]).expecting("MunicipalityCode");
            answer(ctx, Err::<(), _>(Error::Refused(vec![unknown])));
            return Ok(None);
        }
        let agencies = session.agencies(kind.map(Into::into), municipality.as_deref());
        Ok(Some(agencies.iter().map(|agency| AgencyObject::from(&**agency)).collect()))
    }

    /// What has changed since a cursor (*ändringar*), in the order in which it came into force: of each child in the order of its
    /// changes, and with each change that was acknowledged before you asked. Of each you are told what your rights of now allow,
    /// and of a change that is withheld from you nothing, not that there was one. Keep `cursor`, ask again with it, and you miss
    /// nothing and get nothing twice. What changed is told, never the values: read the child for those.
    async fn changes<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The `cursor` of the page before (*efter*); from the beginning where it is left out.")]
        after: Option<String>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 10 where it is left out.")] first: Option<i32>,
    ) -> Result<Option<ChangesObject>> {
        let session: &Arc<Session> = ctx.data()?;
        Ok(answer(ctx, session.changes(after.as_deref(), first).await).map(ChangesObject::from))
    }

    /// The handovers whose expected arrival has passed without anybody confirming it (*försenade överlämningar*): your own, as
    /// sender or receiver; for a county board those of its county, without who the child is. The longest overdue come first.
    async fn overdue_handovers<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<OverdueConnection>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.overdue_handovers(first, after.as_deref()).await) {
            Some(page) => Ok(Some(OverdueConnection::of(session, page, after.is_some()).await)),
            None => Ok(None),
        }
    }

    /// A handover that your agency sends or receives (*överlämning*). Before it accepts, the receiver sees the offer and
    /// nothing of the child.
    async fn handover<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the handover: `handover_…`.")] id: ID,
    ) -> Result<Option<HandoverOutput>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.handover(&id).await) {
            Some(view) => Ok(Some(HandoverOutput::of(session, &view).await)),
            None => Ok(None),
        }
    }

    /// The handovers that your agency sends or receives (*överlämningar*), latest first.
    async fn handovers<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "Only handovers in this state (*läge*).")] state: Option<HandoverState>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<HandoversOutput>> {
        let session: &Arc<Session> = ctx.data()?;
        let result = session.handovers(state.map(Into::into), first, after.as_deref()).await;
        match answer(ctx, result) {
            Some(page) => Ok(Some(HandoversOutput::of(session, &page, after.is_some()).await)),
            None => Ok(None),
        }
    }

    /// A handover with the receiver's eyes (*beredskap*): what it will and will not see, and what the checklist still
    /// lacks. For whoever may propose it.
    async fn handover_readiness<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
        #[graphql(desc = "The agency that would receive: `agency_…`.")] to_agency_id: ID,
        #[graphql(desc = "What would be handed over (*slag*).")] kind: HandoverKind,
    ) -> Result<Option<ReadinessOutput>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.handover_readiness(&child_id, &to_agency_id, kind.into()).await) {
            Some(readiness) => Ok(Some(ReadinessOutput::of(session, &readiness).await)),
            None => Ok(None),
        }
    }

    /// Who leads, who is legally responsible and who the child stays with (*ansvar*): now, or as of a past instant, and the
    /// history of it.
    async fn responsibility<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
        #[graphql(desc = "The instant (*tidpunkt*); now where it is left out.")] at: Option<DateTime<Utc>>,
    ) -> Result<Option<ResponsibilityOutput>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.responsibility(&child_id, at.map(micros)).await) {
            Some(view) => Ok(Some(ResponsibilityOutput::of(session, &view).await)),
            None => Ok(None),
        }
    }

    /// The rules that open or close each field for a role (*regler*).
    async fn field_rules<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The role (*roll*); your own where it is left out.")] role: Option<Role>,
    ) -> Result<Vec<FieldRules>> {
        let session: &Arc<Session> = ctx.data()?;
        let role = role.map_or(session.caller().role, Into::into);
        Ok(FieldId::all().map(|id| field_rules(session, role, id)).collect())
    }

    /// Every error code, what it means and what to do (*felkoder*).
    async fn error_catalog(&self) -> Vec<ErrorEntry> {
        ErrorCode::ALL.iter().map(|code| ErrorEntry::from(*code)).collect()
    }

    /// The suggested corrections of a child (*föreslagna rättelser*), latest first: those of which you are shown a field, and
    /// your own.
    async fn suggestions<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
        #[graphql(desc = "Only suggestions in this state (*läge*).")] state: Option<SuggestionState>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<SuggestionsOutput>> {
        let session: &Arc<Session> = ctx.data()?;
        let result = session.suggestions(&child_id, state.map(Into::into), first, after.as_deref()).await;
        match answer(ctx, result) {
            Some(page) => Ok(Some(SuggestionsOutput::of(session, &page, after.is_some()).await)),
            None => Ok(None),
        }
    }

    /// The missing episodes of a child (*försvinnanden*), latest first, for those who take part in a search.
    async fn episodes<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
    ) -> Result<Option<Vec<Episode>>> {
        let session: &Arc<Session> = ctx.data()?;
        let episodes = answer(ctx, session.episodes(&child_id).await);
        Ok(episodes.map(|all| all.iter().map(|view| Episode(episode::to_json(view))).collect()))
    }

    /// What is to be done about a child now (*checklista*): in its latest missing episode, and in handovers under way. For
    /// those who work on it.
    async fn checklist<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
    ) -> Result<Option<ChecklistOutput>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.checklist(&child_id).await) {
            Some(view) => Ok(Some(ChecklistOutput(checklist::to_json(session, &view).await))),
            None => Ok(None),
        }
    }

    /// What was handed in and is for you to look at (*inkorg*), latest first: worries, sightings and tips about children that you
    /// answer for, and from your municipality; to the police, what may help to find a missing child that they know.
    async fn submissions<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "Only what is in this state (*läge*).")] state: Option<SubmissionState>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<SubmissionConnection>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.submissions(state.map(Into::into), first, after.as_deref()).await) {
            Some(page) => Ok(Some(SubmissionConnection::of(session, page, after.is_some()).await)),
            None => Ok(None),
        }
    }

    /// The versions of a county's routine for missing children (*länets rutin*), latest first.
    async fn routines<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The county (*länskod*), two digits; `00` is the national default.")] county: String,
    ) -> Result<Option<Vec<Routine>>> {
        let session: &Arc<Session> = ctx.data()?;
        let Some(views) = answer(ctx, session.routines(&county).await) else { return Ok(None) };
        let mut routines = Vec::with_capacity(views.len());
        for view in views {
            routines.push(Routine::of(session, view).await);
        }
        Ok(Some(routines))
    }

    /// What you have handed in (*egna anmälningar*), latest first, and what you may be told of it.
    async fn my_submissions<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<OwnSubmissionConnection>> {
        let session: &Arc<Session> = ctx.data()?;
        let result = session.my_submissions(first, after.as_deref()).await;
        Ok(answer(ctx, result).map(|page| OwnSubmissionConnection::of(page, after.is_some())))
    }

    /// The live consents that name you (*samtycken*), for partner organisations: which children, which fields, until when. They
    /// open nothing for another purpose than theirs.
    async fn my_consents<'a>(&self, ctx: &Context<'a>) -> Result<Option<Vec<Consent>>> {
        let session: &Arc<Session> = ctx.data()?;
        let Some(views) = answer(ctx, session.my_consents().await) else { return Ok(None) };
        let mut consents = Vec::with_capacity(views.len());
        for view in views {
            consents.push(Consent::of(session, view).await);
        }
        Ok(Some(consents))
    }

    /// The parties that are kept from a child's record, or were (*spärrar*), latest first: for those who decide on it.
    async fn blocks<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
    ) -> Result<Option<Vec<PartyBlock>>> {
        let session: &Arc<Session> = ctx.data()?;
        let Some(views) = answer(ctx, session.blocks(&child_id).await) else { return Ok(None) };
        let mut blocks = Vec::with_capacity(views.len());
        for view in views {
            blocks.push(PartyBlock::of(session, view).await);
        }
        Ok(Some(blocks))
    }

    /// The emergency accesses (*nödåtkomster*), latest first, for the data protection officer: who, when, why, what was shown.
    async fn break_glass_reviews<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<BreakGlassConnection>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.break_glass_reviews(first, after.as_deref()).await) {
            Some(page) => Ok(Some(BreakGlassConnection::of(session, page, after.is_some()).await)),
            None => Ok(None),
        }
    }

    /// Who looked at a child while it was missing (*slagningar*), latest first, one an agency and hour: for the agency that
    /// leads the case. Whoever looks is told nothing of it.
    async fn lookups<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<LookupConnection>> {
        let session: &Arc<Session> = ctx.data()?;
        match answer(ctx, session.lookups(&child_id, first, after.as_deref()).await) {
            Some(page) => Ok(Some(LookupConnection::of(session, page, after.is_some()).await)),
            None => Ok(None),
        }
    }

    /// Who was shown what of a child (*åtkomstlogg*), latest first: by your own agency; for the data
    /// protection officer by all.
    async fn access_log<'a>(
        &self,
        ctx: &Context<'a>,
        #[graphql(desc = "The id of the child: `child_…`.")] child_id: ID,
        #[graphql(desc = "How many at most, from 1 to 100 (*antal*); 25 where it is left out.")] first: Option<i32>,
        #[graphql(desc = "`pageInfo.endCursor` of the page before (*efter*).")] after: Option<String>,
    ) -> Result<Option<AccessLogConnection>> {
        let session: &Arc<Session> = ctx.data()?;
        let result = session.access_log(&child_id, first, after.as_deref()).await;
        Ok(answer(ctx, result).map(|page| {
            let mut info = PageInfo {
                has_previous_page: after.is_some(),
                has_next_page: page.has_next,
                start_cursor: None,
                end_cursor: None,
            };
            info.start_cursor = page.items.first().map(|(cursor, _)| cursor.clone());
            info.end_cursor = page.items.last().map(|(cursor, _)| cursor.clone());
            let edges = page.items.into_iter().map(|(cursor, entry)| AccessLogEdge { cursor, node: entry.into() });
            AccessLogConnection { edges: edges.collect(), page_info: info }
        }))
    }
}

/// A caller's role (*roll*). One token carries one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainRole")]
pub(super) enum Role {
    /// Migrationsverket.
    Migration,
    /// The police's units for missing persons (*polisens grupper för försvunna*).
    PoliceMissing,
    /// The police's border and enforcement units (*gränspolisen*).
    PoliceBorder,
    /// A social services board (*socialnämnd*).
    SocialServices,
    /// Social services after hours (*socialjour*).
    SocialOnCall,
    /// The chief guardian (*överförmyndare*).
    Guardianship,
    /// Health care of a region (*hälso- och sjukvård*).
    Health,
    /// A school (*skola*).
    School,
    /// A care home (*HVB*, *stödboende*).
    CareHome,
    /// A partner organisation, such as Rädda Barnen.
    Partner,
    /// A county board (*länsstyrelse*).
    CountyBoard,
    /// A data protection officer (*dataskyddsombud*).
    DataProtection,
    /// Whoever runs the hub (*systemadministratör*).
    SystemAdmin,
}

/// Why a request is made (*ändamål*): what `Samverka-Purpose` states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "DomainPurpose")]
pub(super) enum Purpose {
    /// Protection and care (*skydd och omsorg*).
    Protect,
    /// The search for a missing child (*eftersökning*).
    Search,
    /// Placement and assignment (*placering och anvisning*).
    Place,
    /// The asylum case (*asylärende*).
    Asylum,
    /// Return and enforcement (*återvändande*).
    Return,
    /// Health care (*hälso- och sjukvård*).
    Health,
    /// Schooling (*skolgång*).
    School,
    /// Statistics (*statistik*).
    Stat,
    /// Supervision (*tillsyn*).
    Audit,
}

/// Who you are to the hub (*vem är jag*).
#[derive(SimpleObject)]
struct Me {
    /// The role of your token (*roll*).
    role: Role,
    /// Your agency (*aktör*), from the configuration of your token's issuer.
    agency: AgencyObject,
    /// The purposes you may state in `Samverka-Purpose` (*ändamål*).
    purposes: Vec<Purpose>,
}

/// The rules that open or close a field for a role (*regler*).
#[derive(SimpleObject)]
struct FieldRules {
    /// The field: `placement.street`.
    field: String,
    /// Its number in the domain's list: `F31`.
    number: String,
    /// Its policy group (*regelgrupp*).
    group: String,
    /// The rules; what none of them opens is withheld.
    rules: Vec<FieldRule>,
}

/// A rule (*regel*).
#[derive(SimpleObject)]
struct FieldRule {
    /// The name of the rule.
    id: String,
    /// `PERMIT` opens, `FORBID` closes whatever others open.
    effect: String,
    /// What it is about: `read`, `write`, `submit`, `search`.
    verbs: Vec<String>,
    /// The statute it rests on (*lagrum*).
    legal_ground: String,
    /// What it says, in English.
    en: String,
    /// What it says, in Swedish (*lydelse*).
    sv: String,
}

fn field_rules(session: &Session, role: DomainRole, id: FieldId) -> FieldRules {
    let concerning = session.engine().rules().iter().filter(|rule| rule.concerns(role, id));
    let rules = concerning.map(|rule| FieldRule {
        id: rule.id.clone(),
        effect: rule.effect.code().to_owned(),
        verbs: rule.verbs(id).map(Verb::code).map(str::to_owned).collect(),
        legal_ground: rule.basis.clone(),
        en: rule.en.clone(),
        sv: rule.sv.clone(),
    });
    let rules = rules.collect();
    FieldRules {
        field: id.to_string(),
        number: id.field().number.to_owned(),
        group: id.field().group.to_owned(),
        rules,
    }
}

/// An error code (*felkod*).
#[derive(SimpleObject)]
struct ErrorEntry {
    /// The stable code, as in `extensions.code`.
    code: String,
    /// The HTTP status, where the whole request fails for it.
    status: u16,
    /// What it means, in English.
    en: String,
    /// What it means, in Swedish (*betydelse*).
    sv: String,
    /// What to do, in English.
    remedy: String,
    /// What to do, in Swedish (*åtgärd*).
    remedy_sv: String,
}

impl From<ErrorCode> for ErrorEntry {
    fn from(code: ErrorCode) -> Self {
        let entry = code.entry();
        ErrorEntry {
            code: entry.code.to_owned(),
            status: entry.status,
            en: entry.en.to_owned(),
            sv: entry.sv.to_owned(),
            remedy: entry.remedy_en.to_owned(),
            remedy_sv: entry.remedy_sv.to_owned(),
        }
    }
}

/// A page of the access log (*åtkomstlogg*; Relay). It has no total.
#[derive(SimpleObject)]
struct AccessLogConnection {
    /// The entries of the page, with their cursors.
    edges: Vec<AccessLogEdge>,
    /// Whether more follow, and from where.
    page_info: PageInfo,
}

/// An entry in a page of the access log (Relay).
#[derive(SimpleObject)]
struct AccessLogEdge {
    /// Where the entry stands in the list; opaque.
    cursor: String,
    /// The entry.
    node: AccessLogEntry,
}

/// One showing of a child (*loggpost*): who, why, which fields, by which rules. Never a value.
#[derive(SimpleObject)]
struct AccessLogEntry {
    /// When (*tidpunkt*).
    at: String,
    /// The lane and the place in it: where `ledger verify` finds the row.
    place: String,
    /// `X-Request-Id` of the request.
    request_id: String,
    /// The id of the agency that asked (*aktör*).
    agency_id: ID,
    /// Its role (*roll*).
    role: Option<Role>,
    /// The system that asked (*klient*).
    client: String,
    /// The human behind it, as the system named them (*användare*).
    user: Option<String>,
    /// The stated purpose (*ändamål*).
    purpose: Option<String>,
    /// The case number of the agency that asked (*ärende*).
    case: Option<String>,
    /// The kind of operation and its root fields.
    operation: String,
    /// What the agency was to the child (*relation*).
    relation: Option<String>,
    /// The fields that were shown (*visade fält*).
    shown: Vec<String>,
    /// The fields that were asked for and not shown (*ej visade fält*).
    withheld: Vec<String>,
    /// The fields that were written (*ändrade fält*).
    changed: Vec<String>,
    /// The rules that decided (*regler*).
    rules: Vec<String>,
    /// SHA-256 of the policies in force.
    policy: String,
    /// The row's link in the chain.
    hash: String,
}

impl From<LogEntry> for AccessLogEntry {
    fn from(entry: LogEntry) -> Self {
        let LogEntry {
            at,
            place,
            request,
            agency,
            role,
            client,
            user,
            purpose,
            case,
            operation,
            relation,
            shown,
            withheld,
            changed,
            rules,
            policy,
            hash,
        } = entry;
        AccessLogEntry {
            at: timestamp(at),
            place,
            request_id: request,
            agency_id: agency.into(),
            role: DomainRole::from_code(&role).map(Role::from),
            client,
            user,
            purpose,
            case,
            operation,
            relation,
            shown,
            withheld,
            changed,
            rules,
            policy,
            hash,
        }
    }
}

//! Dialogues of conversations, stored; from an offer to a handed-in case.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use documents::Paper;
use jiff::civil::Date;
use kernel::{
    Error, ErrorCode, Result,
    capability::Context,
    evidence::Citation,
    id::fresh,
    identity::Caller,
    records::{Collection, Expect, Records, Write},
    time,
};
use platform::answer::guide::{Guide, GuideState, Offer};
use regex::Regex;
use rules::Value;
use serde::{Deserialize, Serialize};

use super::{
    answers,
    dialogue::{Dialogue, Phase},
    hearing::Heard,
    view,
};
use crate::{
    cases::{
        CASES, Case, CaseStatus,
        case::{Applicant, due, event},
        paper,
    },
    items::{Catalogue, catalogue::Entry},
};

/// Dialogues, by conversation.
pub const GUIDES: Collection = Collection {
    name: "guides",
    indexed: &["owner", "item", "phase", "updated_at"],
};

/// What the store keeps of a conversation's dialogue.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct GuideRecord {
    owner: String,
    item: String,
    phase: Phase,
    updated_at: String,
    /// The item that was offered with the last answer.
    offered: Option<String>,
    /// Items to choose from, as the last answer named them.
    #[serde(default)]
    between: Vec<String>,
    /// The last question, for those that follow up on it.
    #[serde(default)]
    last: Option<String>,
    dialogue: Option<Dialogue>,
}

/// The dialogue of a conversation, as it was read, to be written with the turn.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    record: GuideRecord,
    revision: Option<u64>,
}

/// What a message came to in a dialogue.
#[derive(Debug)]
pub struct Guided {
    /// What is said.
    pub text: String,
    /// The dialogue.
    pub guide: Guide,
    /// What it stands on.
    pub citations: Vec<Citation>,
    /// The case to be made with the turn.
    pub case: Option<Box<Case>>,
    /// What the message was, for the trace.
    pub heard: String,
}

/// What the desk makes of a message.
pub enum Step {
    /// It belongs to the dialogue.
    Guided(Box<Guided>),
    /// It is a question aside; the dialogue waits.
    Aside,
    /// There is no dialogue.
    None,
}

/// Runs guided dialogues.
#[derive(Clone)]
pub struct GuideDesk {
    records: Arc<dyn Records>,
    catalogue: Arc<Catalogue>,
}

static APPLY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("帮我(?:办|申|领|提|取|开|登|报|弄|预约|注册)|替我(?:办|申|领)|给我办|我要(?:办理?|申请|申领|申报|领取|登记)|我想(?:办理|申请|申领|申报|现在)|现在就?办|开始(?:办理|申请|申报)|网上(?:办理|申报|申请)$|^(?:办理|申请|申领|申报)").expect("the pattern is fixed")
});

static YES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(?:申报|需要|要的?|好的?|可以|行|是的?|嗯|办|办吧|现在办|开始|帮我办|请帮我|麻烦)(?:[，,。！!].*)?$|^(?:需要|要|好的?|可以)[，,。].*").expect("the pattern is fixed")
});

static NO: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("^(?:不申报|不需要|不用|不要|先不|暂时不|不办|算了|不了)")
        .expect("the pattern is fixed")
});

/// A wish no longer than this names nothing: 申报, 帮我办.
const BARE: usize = 4;

/// Whether a wish to apply does not say for what.
pub fn names_nothing(message: &str) -> bool {
    answers::tidy(message).chars().count() <= BARE
}

/// Whether a message asks to apply, rather than about applying.
pub fn wants_to_apply(message: &str) -> bool {
    let asks = [
        "怎么",
        "如何",
        "吗",
        "？",
        "?",
        "能不能",
        "条件",
        "材料",
        "什么",
    ];
    APPLY.is_match(message) && !asks.iter().any(|a| message.contains(a))
}

impl GuideDesk {
    /// Opens the dialogues of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>, catalogue: Arc<Catalogue>) -> Result<Self> {
        records.define(&[GUIDES, CASES]).await?;
        Ok(Self { records, catalogue })
    }

    /// The items.
    pub fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }

    /// The dialogue of a conversation.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn of(&self, session: &str) -> Result<Opened> {
        let Some(found) = self.records.get(&GUIDES, session).await? else {
            return Ok(Opened::default());
        };
        Ok(Opened {
            record: serde_json::from_value(found.body).map_err(Error::internal)?,
            revision: Some(found.revision),
        })
    }

    /// What a message comes to. `fill` are fields filled in place.
    ///
    /// # Errors
    /// `InvalidInput` for a field that cannot be filled so; `Storage`.
    pub async fn hear(
        &self,
        context: &Context,
        opened: &mut Opened,
        message: &str,
        fill: &BTreeMap<String, String>,
        on: Date,
    ) -> Result<Step> {
        let Some(mut dialogue) = opened.record.dialogue.clone() else {
            return Ok(Step::None);
        };
        let Some(entry) = self.catalogue.get(&dialogue.item) else {
            return Ok(Step::None);
        };
        // Whoever asks for another item by its name leaves this one.
        let other = |e: &&Arc<Entry>| {
            e.item.id != dialogue.item
                && !entry.item.name.contains(&e.item.name)
                && message.contains(&e.item.name)
        };
        if fill.is_empty()
            && wants_to_apply(message)
            && self.catalogue.all().values().any(|e| other(&e))
        {
            return Ok(Step::None);
        }
        if dialogue.phase == Phase::Stopped && fill.is_empty() {
            let resumes = ["继续", "继续办理", "接着办"].contains(&answers::tidy(message).as_str());
            if !resumes {
                return Ok(Step::None);
            }
        }
        let (heard, changed) = if fill.is_empty() {
            let taken = dialogue.take(&entry.item, &entry.book, message, on);
            (taken.heard, taken.changed)
        } else {
            let changed = self.fill(&entry, &mut dialogue, fill, on)?;
            (Heard::Answers(Vec::new()), changed)
        };
        if heard == Heard::Aside || dialogue.phase == Phase::Submitted && heard != Heard::Confirm {
            opened.record.dialogue = Some(dialogue);
            return Ok(Step::Aside);
        }
        let guided = self
            .say(context, &entry, &mut dialogue, heard, &changed, on)
            .await?;
        opened.keep(dialogue);
        Ok(Step::Guided(Box::new(guided)))
    }

    /// Begins a dialogue if a message asks for one: by naming an item that it recognises, or by taking up what was offered.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn begin(
        &self,
        context: &Context,
        opened: &mut Opened,
        message: &str,
        recognised: Option<Arc<Entry>>,
        on: Date,
    ) -> Result<Option<Guided>> {
        let said = answers::tidy(message);
        let offered = opened
            .record
            .offered
            .take()
            .and_then(|id| self.catalogue.get(&id));
        let between = std::mem::take(&mut opened.record.between);
        let chosen = between
            .contains(&said)
            .then(|| self.catalogue.named(&said))
            .flatten();
        let entry = if chosen.is_some() {
            chosen
        } else if offered.is_some()
            && (YES.is_match(&said) && !NO.is_match(&said)
                || said.chars().count() <= BARE && wants_to_apply(&said))
        {
            offered
        } else if wants_to_apply(&said) && said.chars().count() > BARE {
            recognised.or(offered)
        } else {
            None
        };
        let Some(entry) = entry else {
            return Ok(None);
        };
        let account: BTreeMap<String, String> = context
            .caller
            .account
            .iter()
            .filter(|a| a.verified)
            .map(|a| ("account.name".to_owned(), a.name.clone()))
            .collect();
        let mut dialogue = Dialogue::begin(fresh(), &entry.item, &account, on);
        dialogue.turns = 1;
        let guided = self
            .say(context, &entry, &mut dialogue, Heard::Restart, &[], on)
            .await?;
        opened.keep(dialogue);
        Ok(Some(guided))
    }

    /// Offers an item with an answer.
    pub fn offer(&self, opened: &mut Opened, entry: &Entry) -> Offer {
        opened.record.offered = Some(entry.item.id.clone());
        Offer {
            item: entry.item.name.clone(),
            item_id: entry.item.id.clone(),
            question: format!("需要现在帮您网上办理“{}”吗？", entry.item.name),
            choices: vec!["申报".to_owned(), "不申报".to_owned()],
        }
    }

    /// Remembers between which items a citizen was asked to choose.
    pub fn ask_between(&self, opened: &mut Opened, names: &[String]) {
        opened.record.between = names.to_vec();
    }

    /// The dialogue that waits while something else was asked.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn waiting(
        &self,
        opened: &Opened,
        on: Date,
        citations: &mut Vec<Citation>,
    ) -> Result<Option<Guide>> {
        let Some(dialogue) = &opened.record.dialogue else {
            return Ok(None);
        };
        if dialogue.phase == Phase::Stopped {
            return Ok(None);
        }
        let Some(entry) = self.catalogue.get(&dialogue.item) else {
            return Ok(None);
        };
        view::show(&self.catalogue, &entry, dialogue, &[], on, citations)
            .await
            .map(Some)
    }

    /// The writes that keep a dialogue, with the case that came of it, in the batch of the turn.
    ///
    /// # Errors
    /// `Internal`.
    pub fn writes(
        &self,
        context: &Context,
        session: &str,
        opened: Opened,
        case: Option<&Case>,
    ) -> Result<Vec<Write>> {
        let Opened {
            mut record,
            revision,
        } = opened;
        let mut batch = Vec::new();
        if revision.is_some() || record != GuideRecord::default() {
            context.caller.owner().clone_into(&mut record.owner);
            record.updated_at = time::now();
            let expect = revision.map_or(Expect::Absent, Expect::Revision);
            batch.push(Write::put(&GUIDES, session.to_owned(), &record)?.expecting(expect));
        }
        if let Some(case) = case {
            batch.push(case.submit()?);
            batch.push(case.told("service.case_submitted").write()?);
        }
        Ok(batch)
    }

    /// The filled form of a conversation's own dialogue, as paper.
    ///
    /// # Errors
    /// `NotFound` without such a dialogue or for another's; `Conflict` while something is missing; `Storage`.
    pub async fn paper(&self, caller: &Caller, session: &str) -> Result<Paper> {
        let missing = || Error::not_found("这个对话里的申请表");
        let opened = self.of(session).await?;
        let dialogue = opened.record.dialogue.as_ref().ok_or_else(missing)?;
        if opened.record.owner != caller.owner() {
            return Err(missing());
        }
        let entry = self.catalogue.get(&dialogue.item).ok_or_else(missing)?;
        if !matches!(dialogue.phase, Phase::Review | Phase::Submitted) {
            return Err(Error::new(
                ErrorCode::Conflict,
                "申请表还没有填完，填完后再下载。",
            ));
        }
        let mut citations = Vec::new();
        let guide = view::show(
            &self.catalogue,
            &entry,
            dialogue,
            &[],
            time::today(),
            &mut citations,
        )
        .await?;
        Ok(paper::of_guide(&guide, &entry.item.agency))
    }

    fn fill(
        &self,
        entry: &Entry,
        dialogue: &mut Dialogue,
        fill: &BTreeMap<String, String>,
        on: Date,
    ) -> Result<Vec<(String, Option<Value>)>> {
        let mut answers = Vec::new();
        for (id, said) in fill {
            let field = entry.item.field(id).ok_or_else(|| {
                Error::new(ErrorCode::InvalidInput, format!("表单里没有“{id}”这一项。"))
            })?;
            let value =
                answers::read(field, said, &entry.book, &dialogue.facts, on).map_err(|why| {
                    Error::new(ErrorCode::InvalidInput, format!("{}：{why}", field.label))
                })?;
            answers.push((id.clone(), value));
        }
        let changed = dialogue.set(&answers);
        dialogue.turns += 1;
        if dialogue.phase != Phase::Submitted {
            dialogue.advance(&entry.item, &entry.book, on);
        }
        Ok(changed)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "what is shown, what is handed in and what is said follow one another"
    )]
    async fn say(
        &self,
        context: &Context,
        entry: &Entry,
        dialogue: &mut Dialogue,
        heard: Heard,
        changed: &[(String, Option<Value>)],
        on: Date,
    ) -> Result<Guided> {
        let mut citations = Vec::new();
        let mut case = None;
        let verified = context.caller.account.as_ref().filter(|a| a.verified);
        let mut said = Vec::new();
        if heard == Heard::Confirm && dialogue.phase == Phase::Review && verified.is_some() {
            // What is handed in is what the rules say at this moment, not what they said when it was shown.
            dialogue.phase = Phase::Submitted;
            dialogue.case = Some(Case::number_of(&dialogue.id, on));
        }
        let submitted_now = dialogue.phase == Phase::Submitted && heard == Heard::Confirm;
        let mut guide = view::show(
            &self.catalogue,
            entry,
            dialogue,
            changed,
            on,
            &mut citations,
        )
        .await?;
        guide.needs_sign_in = guide.state == GuideState::Review && verified.is_none();
        if submitted_now && let Some(account) = verified {
            let known: Option<Case> = self.records.read(&CASES, &dialogue.id).await?;
            if known.is_none() {
                case = Some(Box::new(Case {
                    id: dialogue.id.clone(),
                    number: dialogue.case.clone().unwrap_or_default(),
                    item_id: entry.item.id.clone(),
                    item: entry.item.name.clone(),
                    agency: entry.item.agency.clone(),
                    applicant: Applicant {
                        account: account.id.clone(),
                        name: account.name.clone(),
                    },
                    facts: dialogue.facts.clone(),
                    form: guide.form.clone(),
                    conditions: guide.conditions.clone(),
                    amounts: guide.amounts.clone(),
                    materials: guide.materials.clone(),
                    citations: citations.clone(),
                    status: CaseStatus::Submitted,
                    submitted_at: time::now(),
                    due: due(on, &entry.item.time_limit),
                    history: vec![event(&account.name, CaseStatus::Submitted, "已提交申请。")],
                    session: None,
                    turns: dialogue.turns,
                    began_at: dialogue.began_at.clone(),
                    uploads: Vec::new(),
                    unread: false,
                }));
            }
        }
        if !changed.is_empty() && matches!(heard, Heard::Answers(_)) {
            let told: Vec<_> = guide
                .changed
                .iter()
                .filter(|c| changed.len() > 1 || c.from.is_some())
                .map(|c| match &c.from {
                    Some(from) => format!("“{}”由{from}改为{}", c.label, c.to),
                    None => format!("{}：{}", c.label, c.to),
                })
                .collect();
            if !told.is_empty() {
                said.push(format!("已记下{}。", told.join("；")));
            }
        }
        match &heard {
            Heard::Unclear(why) => said.push(why.clone()),
            Heard::Unsure => {
                let help = guide.ask.as_ref().map(|a| match &a.help {
                    Some(help) => format!("{help}例如“{}”。", a.example),
                    None => format!("没关系。可以参照这样回答：“{}”。记不清的，可以先查一下再来，填过的都会保留。", a.example),
                });
                said.extend(help);
            }
            Heard::Stop => said.push(format!(
                "好的，“{}”先放下，填过的内容已经保留。想接着办时说“继续办理”。",
                guide.item
            )),
            _ => {}
        }
        said.push(self.prompt(entry, dialogue, &guide, &heard));
        let heard = format!("{heard:?}");
        let heard = heard
            .split(['(', ' '])
            .next()
            .unwrap_or_default()
            .to_lowercase();
        Ok(Guided {
            text: said
                .into_iter()
                .filter(|s| !s.is_empty())
                .collect::<Vec<_>>()
                .join("\n"),
            guide,
            citations,
            case,
            heard,
        })
    }

    /// What is said of where the dialogue is.
    #[expect(clippy::too_many_lines, reason = "a text for each state")]
    fn prompt(&self, entry: &Entry, dialogue: &Dialogue, guide: &Guide, heard: &Heard) -> String {
        let item = &entry.item;
        let headline = || -> Vec<String> {
            let shown = guide
                .amounts
                .iter()
                .filter(|a| a.headline && a.value.is_some());
            let lines = shown.flat_map(|a| {
                let value = a.value.clone().unwrap_or_default();
                let steps = a
                    .steps
                    .iter()
                    .filter(|s| s.chars().any(|c| "×÷+−".contains(c)));
                std::iter::once(format!("{}：{value}", a.label))
                    .chain(steps.map(|s| format!("　{s}")))
            });
            lines.collect()
        };
        match guide.state {
            GuideState::Asking => {
                let question = guide
                    .ask
                    .as_ref()
                    .map(|a| a.question.clone())
                    .unwrap_or_default();
                if *heard == Heard::Restart && dialogue.turns <= 1 {
                    format!(
                        "好的，我们来办“{}”。{}我会一项一项问您，随时可以改。\n{question}",
                        item.name, item.summary
                    )
                } else {
                    question
                }
            }
            GuideState::Review => {
                let mut lines = vec!["您符合办理条件，申请表已经填好。".to_owned()];
                lines.extend(headline());
                let needed: Vec<_> = guide
                    .materials
                    .iter()
                    .filter(|m| m.exempt.is_none())
                    .map(|m| m.name.as_str())
                    .collect();
                if !needed.is_empty() {
                    lines.push(format!("需要准备：{}。", needed.join("、")));
                }
                lines.push(if guide.needs_sign_in {
                    "请先登录，再说“确认提交”。哪一项不对，直接告诉我要改成什么。".to_owned()
                } else {
                    "请核对，没有问题就说“确认提交”。哪一项不对，直接告诉我要改成什么。".to_owned()
                });
                lines.join("\n")
            }
            GuideState::Ineligible => {
                let mut lines = vec![format!("按您说的情况，现在还不能办“{}”：", item.name)];
                for reason in &guide.reasons {
                    lines.push(format!("· {}", reason.text));
                    if let Some(instead) = &reason.instead {
                        lines.push(format!("　可以改办“{instead}”。"));
                    }
                }
                if !guide.nearest.is_empty() {
                    let told: Vec<_> = guide
                        .nearest
                        .iter()
                        .map(|d| format!("{}为“{}”", d.label, d.to))
                        .collect();
                    lines.push(format!(
                        "如果{}，就符合条件。说错了可以直接更正。",
                        told.join("，并且")
                    ));
                }
                lines.join("\n")
            }
            GuideState::Submitted => format!(
                "已经提交，办件编号 {}。{}会在{}前办理，进度可以在“我的办件”里查看。",
                guide.case.as_deref().unwrap_or_default(),
                item.agency,
                time::chinese(due(time::today(), &item.time_limit)),
            ),
            GuideState::Stopped => String::new(),
        }
    }
}

impl Opened {
    /// The last question of the conversation.
    pub fn previous(&self) -> Option<&str> {
        self.record.last.as_deref()
    }

    /// Keeps a question for those that follow up on it.
    pub fn remember(&mut self, question: &str) {
        self.record.last = Some(question.to_owned());
    }

    fn keep(&mut self, dialogue: Dialogue) {
        self.record.item.clone_from(&dialogue.item);
        self.record.phase = dialogue.phase;
        self.record.dialogue = Some(dialogue);
    }
}

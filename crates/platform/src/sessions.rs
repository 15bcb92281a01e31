//! Conversations, kept for who had them.

use std::sync::Arc;

use kernel::{
    Error, ErrorCode, Page, Result,
    id::secret,
    identity::Caller,
    page::PageRequest,
    records::{Collection, Condition, Expect, Query, Records, Sort, Write},
    time,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    answer::Answer,
    trace::{TRACES, Trace},
};

const SESSIONS: Collection = Collection {
    name: "sessions",
    indexed: &["visitor", "updated_at"],
};
const TURNS: Collection = Collection {
    name: "turns",
    indexed: &["session", "asked_at"],
};

/// How many characters of the first question name a conversation.
const TITLE: usize = 30;

/// Conversations and traces.
#[derive(Clone)]
pub struct Sessions {
    records: Arc<dyn Records>,
}

/// A conversation in a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct SessionSummary {
    /// Its id.
    pub id: String,
    /// The first question, shortened.
    pub title: String,
    /// How many questions were asked.
    pub turns: u64,
    /// When the last one was.
    pub updated_at: String,
}

/// A whole conversation.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// Its id.
    pub id: String,
    /// The first question, shortened.
    pub title: String,
    /// When it began.
    pub created_at: String,
    /// When the last question was.
    pub updated_at: String,
    /// The questions with their answers.
    pub turns: Vec<Turn>,
}

/// A question with its answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Turn {
    /// Its id.
    pub id: String,
    /// The question.
    pub question: String,
    /// When it was asked.
    pub asked_at: String,
    /// The answer.
    pub answer: Answer,
}

/// A conversation as the store keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its id, unguessable: whoever knows it may go on with it.
    pub id: String,
    visitor: String,
    title: String,
    turns: u64,
    created_at: String,
    updated_at: String,
    deleted: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct TurnRecord {
    session: String,
    #[serde(flatten)]
    turn: Turn,
}

impl SessionRecord {
    fn summary(&self) -> SessionSummary {
        SessionSummary {
            id: self.id.clone(),
            title: self.title.clone(),
            turns: self.turns,
            updated_at: self.updated_at.clone(),
        }
    }
}

impl Sessions {
    /// Opens the conversations of a store.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open(records: Arc<dyn Records>) -> Result<Self> {
        records.define(&[SESSIONS, TURNS, TRACES]).await?;
        Ok(Self { records })
    }

    /// The conversation to go on with, or a new one that is stored with its first turn.
    ///
    /// # Errors
    /// `NotFound` if this visitor has none under that id; `Storage`.
    pub async fn resume(
        &self,
        caller: &Caller,
        id: Option<&str>,
        question: &str,
    ) -> Result<SessionRecord> {
        let visitor = caller.owner();
        if let Some(id) = id.filter(|id| !id.is_empty()) {
            // Whoever began without an account goes on with the conversation after signing in; from then on it is theirs.
            let found = match self.own(visitor, id).await {
                Err(error) if error.code == ErrorCode::NotFound => {
                    let mut begun = self.own(&caller.visitor, id).await?;
                    visitor.clone_into(&mut begun.visitor);
                    begun
                }
                found => found?,
            };
            return Some(found)
                .filter(|s| !s.deleted)
                .ok_or_else(|| Error::not_found("这次对话"));
        }
        let now = time::now();
        let mut title: String = question.split_whitespace().collect::<Vec<_>>().join(" ");
        if title.chars().count() > TITLE {
            title = title.chars().take(TITLE).chain(['…']).collect();
        }
        Ok(SessionRecord {
            id: secret(),
            visitor: visitor.to_owned(),
            title,
            turns: 0,
            created_at: now.clone(),
            updated_at: now,
            deleted: false,
        })
    }

    async fn own(&self, visitor: &str, id: &str) -> Result<SessionRecord> {
        let found: Option<SessionRecord> = self.records.read(&SESSIONS, id).await?;
        found
            .filter(|s| s.visitor == visitor && !visitor.is_empty())
            .ok_or_else(|| Error::not_found("这次对话"))
    }

    /// Stores a turn with its conversation, its trace and what else came of it, all or nothing.
    ///
    /// # Errors
    /// `Conflict` if one of the further writes meets another state than it expects; `Storage`, `StorageFull`.
    pub async fn append(
        &self,
        session: SessionRecord,
        turn: Turn,
        trace: &Trace,
        further: &[Write],
    ) -> Result<()> {
        // The visitor is stored, yet never leaves: it is left out wherever a trace is written for the outside.
        let mut stored = serde_json::to_value(trace).map_err(Error::internal)?;
        stored["visitor"] = trace.visitor.clone().into();
        let (id, asked_at) = (turn.id.clone(), turn.asked_at.clone());
        let turn = TurnRecord {
            session: session.id.clone(),
            turn,
        };
        let mut others = vec![
            Write::put(&TURNS, id, &turn)?,
            Write::put(&TRACES, trace.id.clone(), &stored)?,
        ];
        others.extend_from_slice(further);
        let mut tries = 0;
        loop {
            // Another question of the same conversation may have been stored meanwhile.
            let standing = self.records.get(&SESSIONS, &session.id).await?;
            let (mut current, expect) = match standing {
                Some(record) => {
                    let current = serde_json::from_value(record.body).map_err(Error::internal)?;
                    (current, Expect::Revision(record.revision))
                }
                None => (session.clone(), Expect::Absent),
            };
            current.turns += 1;
            current.visitor.clone_from(&session.visitor);
            current.updated_at = current.updated_at.max(asked_at.clone());
            let mut batch =
                vec![Write::put(&SESSIONS, session.id.clone(), &current)?.expecting(expect)];
            batch.extend(others.iter().cloned());
            match self.records.apply(batch).await {
                // Without further writes only the conversation itself can have changed.
                Err(error)
                    if error.code == ErrorCode::Conflict && (further.is_empty() || tries < 3) =>
                {
                    tries += 1;
                }
                applied => return applied.map(|_| ()),
            }
        }
    }

    /// A visitor's conversations, the latest first.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn list(&self, visitor: &str, page: PageRequest) -> Result<Page<SessionSummary>> {
        let all = vec![
            Condition::is("visitor", visitor),
            Condition::is("deleted", false),
        ];
        let total = self.records.count(&SESSIONS, &all).await?;
        let sort = Some(Sort {
            field: "updated_at".into(),
            descending: true,
        });
        let query = Query {
            all,
            sort,
            offset: page.offset(),
            limit: page.size(),
        };
        let found: Vec<SessionRecord> = self.records.list(&SESSIONS, &query).await?;
        Ok(page.of(found.iter().map(SessionRecord::summary).collect(), total))
    }

    /// A visitor's conversation, whole.
    ///
    /// # Errors
    /// `NotFound` also where it is another visitor's; `Storage`.
    pub async fn get(&self, visitor: &str, id: &str) -> Result<Session> {
        let session = self.own(visitor, id).await?;
        if session.deleted {
            return Err(Error::not_found("这次对话"));
        }
        let query = Query {
            all: vec![Condition::is("session", id)],
            sort: Some(Sort {
                field: "asked_at".into(),
                descending: false,
            }),
            ..Query::default()
        };
        let turns: Vec<TurnRecord> = self.records.list(&TURNS, &query).await?;
        Ok(Session {
            id: session.id,
            title: session.title,
            created_at: session.created_at,
            updated_at: session.updated_at,
            turns: turns.into_iter().map(|t| t.turn).collect(),
        })
    }

    /// Hides a conversation, or shows it again.
    ///
    /// # Errors
    /// `NotFound`, `Storage`, `StorageFull`.
    pub async fn set_deleted(
        &self,
        visitor: &str,
        id: &str,
        deleted: bool,
    ) -> Result<SessionSummary> {
        let mut session = self.own(visitor, id).await?;
        session.deleted = deleted;
        self.records.save(&SESSIONS, id, &session).await?;
        Ok(session.summary())
    }

    /// A trace, for who asked and for the operator.
    ///
    /// # Errors
    /// `NotFound`, `Storage`.
    pub async fn trace(&self, visitor: &str, operator: bool, id: &str) -> Result<Trace> {
        let found: Option<Trace> = self.records.read(&TRACES, id).await?;
        found
            .filter(|t| operator || (t.visitor == visitor && !visitor.is_empty()))
            .ok_or_else(|| Error::not_found("这次回答的过程"))
    }
}

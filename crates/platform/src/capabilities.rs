//! What the outside can do with conversations and traces.

use kernel::{
    Page, Result,
    capability::{ById, Capability, Context, Definition, Method, Permission, Registered},
    page::PageRequest,
};

use crate::{
    sessions::{Session, SessionSummary, Sessions},
    trace::Trace,
};

/// All capabilities of conversations.
pub fn all(sessions: &Sessions) -> Vec<Registered> {
    vec![
        Registered::new(ListSessions(sessions.clone())),
        Registered::new(GetSession(sessions.clone())),
        Registered::new(DeleteSession(sessions.clone())),
        Registered::new(RestoreSession(sessions.clone())),
        Registered::new(GetTrace(sessions.clone())),
    ]
}

fn define(
    name: &'static str,
    title: &'static str,
    description: &'static str,
    method: Method,
    path: &'static str,
) -> Definition {
    Definition {
        name,
        title,
        description,
        permission: Permission::Public,
        method,
        path,
        streams: false,
    }
}

struct ListSessions(Sessions);

impl Capability for ListSessions {
    type Input = PageRequest;
    type Output = Page<SessionSummary>;

    fn definition(&self) -> Definition {
        define(
            "sessions.list",
            "我的对话",
            "分页列出本浏览器的对话，最近的在前。",
            Method::Get,
            "/sessions",
        )
    }

    async fn call(&self, context: &Context, input: PageRequest) -> Result<Page<SessionSummary>> {
        self.0.list(&context.caller.visitor, input).await
    }
}

struct GetSession(Sessions);

impl Capability for GetSession {
    type Input = ById;
    type Output = Session;

    fn definition(&self) -> Definition {
        define(
            "sessions.get",
            "对话内容",
            "取得一次对话的全部问答。",
            Method::Get,
            "/sessions/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Session> {
        self.0.get(&context.caller.visitor, &input.id).await
    }
}

struct DeleteSession(Sessions);

impl Capability for DeleteSession {
    type Input = ById;
    type Output = SessionSummary;

    fn definition(&self) -> Definition {
        define(
            "sessions.delete",
            "删除对话",
            "删除一次对话，可以恢复。",
            Method::Delete,
            "/sessions/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<SessionSummary> {
        self.0
            .set_deleted(&context.caller.visitor, &input.id, true)
            .await
    }
}

struct RestoreSession(Sessions);

impl Capability for RestoreSession {
    type Input = ById;
    type Output = SessionSummary;

    fn definition(&self) -> Definition {
        define(
            "sessions.restore",
            "恢复对话",
            "恢复一次删除的对话。",
            Method::Post,
            "/sessions/{id}/restore",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<SessionSummary> {
        self.0
            .set_deleted(&context.caller.visitor, &input.id, false)
            .await
    }
}

struct GetTrace(Sessions);

impl Capability for GetTrace {
    type Input = ById;
    type Output = Trace;

    fn definition(&self) -> Definition {
        define(
            "traces.get",
            "回答的过程",
            "取得一次回答的逐步过程。",
            Method::Get,
            "/traces/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Trace> {
        self.0
            .trace(&context.caller.visitor, context.caller.operator, &input.id)
            .await
    }
}

//! What the outside can do with conversations and traces.

use kernel::{
    Page, Result,
    capability::{ById, Capability, Context, Definition, Permission, Registered},
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

struct ListSessions(Sessions);

impl Capability for ListSessions {
    type Input = PageRequest;
    type Output = Page<SessionSummary>;

    fn definition(&self) -> Definition {
        Definition::get(
            "sessions.list",
            "我的对话",
            "分页列出本浏览器的对话，最近的在前。",
            "/sessions",
        )
    }

    async fn call(&self, context: &Context, input: PageRequest) -> Result<Page<SessionSummary>> {
        self.0.list(context.caller.owner(), input).await
    }
}

struct GetSession(Sessions);

impl Capability for GetSession {
    type Input = ById;
    type Output = Session;

    fn definition(&self) -> Definition {
        Definition::get(
            "sessions.get",
            "对话内容",
            "取得一次对话的全部问答。",
            "/sessions/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Session> {
        self.0.get(context.caller.owner(), &input.id).await
    }
}

struct DeleteSession(Sessions);

impl Capability for DeleteSession {
    type Input = ById;
    type Output = SessionSummary;

    fn definition(&self) -> Definition {
        Definition::delete(
            "sessions.delete",
            "删除对话",
            "删除一次对话，可以恢复。",
            "/sessions/{id}",
        )
        .open_to(Permission::Public)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<SessionSummary> {
        self.0
            .set_deleted(context.caller.owner(), &input.id, true)
            .await
    }
}

struct RestoreSession(Sessions);

impl Capability for RestoreSession {
    type Input = ById;
    type Output = SessionSummary;

    fn definition(&self) -> Definition {
        Definition::post(
            "sessions.restore",
            "恢复对话",
            "恢复一次删除的对话。",
            "/sessions/{id}/restore",
        )
        .open_to(Permission::Public)
    }

    async fn call(&self, context: &Context, input: ById) -> Result<SessionSummary> {
        self.0
            .set_deleted(context.caller.owner(), &input.id, false)
            .await
    }
}

struct GetTrace(Sessions);

impl Capability for GetTrace {
    type Input = ById;
    type Output = Trace;

    fn definition(&self) -> Definition {
        Definition::get(
            "traces.get",
            "回答的过程",
            "取得一次回答的逐步过程。",
            "/traces/{id}",
        )
    }

    async fn call(&self, context: &Context, input: ById) -> Result<Trace> {
        self.0
            .trace(
                context.caller.owner(),
                context.caller.is_administrator(),
                &input.id,
            )
            .await
    }
}

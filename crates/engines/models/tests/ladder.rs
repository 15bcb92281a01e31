//! Models in order of preference, with rungs that fail, hang and break off.
#![allow(clippy::unwrap_used)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use citymind_engine_models::{Health, Ladder, Patience};
use futures_util::{FutureExt, StreamExt};
use kernel::{
    Error, ErrorCode,
    models::{ChatEvent, ChatModel, ChatReply, ChatRequest, Message, Role, Site},
    testkit::{Script, ScriptedChat, chat_conforms},
};

struct Stage {
    remote: Arc<ScriptedChat>,
    local: Arc<ScriptedChat>,
    ladder: Ladder,
    now: Arc<AtomicU64>,
}

fn patience() -> Patience {
    Patience {
        first_text: Duration::from_millis(40),
        whole: Duration::from_millis(40),
        failures: 3,
        pause: Duration::from_secs(30),
    }
}

/// A remote model that follows a script, above a local one that always replies.
fn stage(script: impl IntoIterator<Item = Script>) -> Stage {
    let remote = Arc::new(ScriptedChat::new(script).named("remote", Site::Remote));
    let local = ScriptedChat::replying(|_| Script::say("本地")).named("local", Site::Local);
    let local = Arc::new(local);
    let now = Arc::new(AtomicU64::new(0));
    let clock = now.clone();
    let ladder = Ladder::with_clock(
        vec![(remote.clone(), patience()), (local.clone(), patience())],
        Arc::new(move || Duration::from_secs(clock.load(Ordering::SeqCst))),
    );
    Stage {
        remote,
        local,
        ladder,
        now,
    }
}

impl Stage {
    async fn ask(&self) -> Result<ChatReply, Error> {
        let request = ChatRequest::new(vec![Message::new(Role::User, "问")]);
        ChatReply::whole(self.ladder.chat(request).await?).await
    }

    /// Who replies, and how often the remote model has been asked.
    async fn replies(&self) -> (String, usize) {
        let name = self.ask().await.unwrap().model.unwrap().name;
        (name, self.remote.asked().len())
    }

    fn pass(&self, seconds: u64) {
        self.now.fetch_add(seconds, Ordering::SeqCst);
    }

    fn health(&self) -> Health {
        self.ladder.state()[0].health
    }
}

fn good() -> Script {
    Script::say("远程")
}

fn failing() -> Script {
    Script::fail(ErrorCode::ModelUnavailable)
}

#[tokio::test]
async fn the_first_that_can_replies_and_says_who_it_is() {
    let stage = stage([good()]);
    let request = ChatRequest::new(vec![Message::new(Role::User, "问")]);
    let events: Vec<_> = stage.ladder.chat(request).await.unwrap().collect().await;
    let first = events[0].as_ref().unwrap();
    assert!(
        matches!(first, ChatEvent::Model(card) if card.name == "remote"),
        "{first:?}"
    );
    assert_eq!(*events[1].as_ref().unwrap(), ChatEvent::Text("远程".into()));
    assert!(stage.local.asked().is_empty());
    let state = &stage.ladder.state()[0];
    assert_eq!((state.asked, state.answered, state.failed), (1, 1, 0));
    assert!(state.first_text_ms.is_some());
}

#[tokio::test]
async fn whatever_fails_before_the_first_text_falls_to_the_next() {
    let error = || Error::new(ErrorCode::ModelReply, "坏");
    for step in [
        failing(),
        Script::fail(ErrorCode::ModelTimeout),
        Script::fail(ErrorCode::ModelReply),
        Script::FailAfter(vec![], error()),
        Script::CutOff(vec![]),
        Script::Hang(vec![]),
    ] {
        let stage = stage([step.clone()]);
        assert_eq!(stage.replies().await, ("local".into(), 1), "{step:?}");
        let state = &stage.ladder.state()[0];
        assert_eq!((state.asked, state.failed), (1, 1));
        assert!(state.last_error.is_some() && state.last_error_at.is_some());
    }
}

#[tokio::test]
async fn a_request_that_is_wrong_in_itself_is_not_taken_further() {
    let stage = stage([Script::fail(ErrorCode::InvalidInput)]);
    assert_eq!(stage.ask().await.unwrap_err().code, ErrorCode::InvalidInput);
    assert!(stage.local.asked().is_empty());
    assert_eq!(stage.ladder.state()[0].failed, 0);
}

#[tokio::test]
async fn after_the_first_text_a_failure_is_an_error_in_the_stream() {
    for step in [
        Script::CutOff(vec!["远".into()]),
        Script::FailAfter(vec!["远".into()], Error::new(ErrorCode::ModelReply, "坏")),
    ] {
        let stage = stage([step]);
        let request = ChatRequest::new(vec![Message::new(Role::User, "问")]);
        let events: Vec<_> = stage.ladder.chat(request).await.unwrap().collect().await;
        assert_eq!(events.len(), 3);
        assert_eq!(*events[1].as_ref().unwrap(), ChatEvent::Text("远".into()));
        assert_eq!(events[2].as_ref().unwrap_err().code, ErrorCode::ModelReply);
        assert!(stage.local.asked().is_empty());
        assert_eq!(stage.ladder.state()[0].failed, 1);
    }
}

#[tokio::test]
async fn a_dead_endpoint_costs_one_wait_once() {
    let stage = stage([Script::Hang(vec![]), Script::Hang(vec![]), good(), good()]);
    assert_eq!(stage.replies().await.1, 1);
    assert_eq!(stage.health(), Health::Resting);
    assert_eq!(stage.ladder.card().name, "local");
    for _ in 0..5 {
        assert_eq!(stage.replies().await, ("local".into(), 1));
    }
    stage.pass(29);
    assert_eq!(stage.replies().await.1, 1);
    assert_eq!(stage.ladder.state()[0].rests_for, Some(1));

    // Tried once, and left alone again.
    stage.pass(1);
    assert_eq!(stage.health(), Health::OnTrial);
    assert_eq!(stage.replies().await, ("local".into(), 2));
    assert_eq!(stage.replies().await, ("local".into(), 2));

    stage.pass(30);
    assert_eq!(stage.replies().await, ("remote".into(), 3));
    assert_eq!(stage.health(), Health::Open);
    assert_eq!(stage.replies().await, ("remote".into(), 4));
}

#[tokio::test]
async fn single_failures_are_forgiven_several_in_a_row_are_not() {
    let script = [
        failing(),
        failing(),
        good(),
        failing(),
        failing(),
        failing(),
    ];
    let stage = stage(script);
    for asked in 1..=6 {
        assert_eq!(stage.health(), Health::Open, "{asked}");
        assert_eq!(stage.replies().await.1, asked);
    }
    assert_eq!(stage.health(), Health::Resting);
    assert_eq!(stage.replies().await.1, 6);
}

#[tokio::test]
async fn one_that_always_breaks_off_is_left_alone_too() {
    let stage = stage([0; 4].map(|_| Script::CutOff(vec!["远".into()])));
    for _ in 0..3 {
        assert_eq!(stage.health(), Health::Open);
        assert_eq!(stage.ask().await.unwrap_err().code, ErrorCode::ModelReply);
    }
    assert_eq!(stage.health(), Health::Resting);
    stage.pass(30);
    assert!(stage.ask().await.is_err(), "it was on trial");
    assert_eq!(stage.health(), Health::Resting);
    assert_eq!(stage.replies().await, ("local".into(), 4));
}

#[tokio::test]
async fn a_local_one_that_is_busy_is_asked_again_at_once() {
    let busy = || Script::Fail(Error::new(ErrorCode::ModelUnavailable, "忙").after(7));
    let local = ScriptedChat::new([busy(), busy(), busy(), good()]);
    let ladder = Ladder::new(vec![(Arc::new(local), patience())]);
    let request = ChatRequest::new(vec![Message::new(Role::User, "问")]);
    for _ in 0..3 {
        let error = ladder.chat(request.clone()).await.err().unwrap();
        assert_eq!(error.retry_after, Some(7));
    }
    assert!(ladder.chat(request).await.is_ok());
}

#[tokio::test]
async fn who_says_when_to_come_again_is_left_alone_until_then() {
    let busy = Error::new(ErrorCode::ModelUnavailable, "忙").after(7);
    let stage = stage([Script::Fail(busy), good()]);
    assert_eq!(stage.replies().await.0, "local");
    assert_eq!(stage.ladder.state()[0].rests_for, Some(7));
    stage.pass(7);
    assert_eq!(stage.replies().await.0, "remote");
}

#[tokio::test]
async fn only_one_request_tries_a_model_that_was_left_alone() {
    let stage = stage([Script::Hang(vec![]), Script::Hang(vec![]), good()]);
    stage.replies().await;
    stage.pass(30);
    let request = ChatRequest::new(vec![Message::new(Role::User, "问")]);
    let mut trying = stage.ladder.chat(request);
    assert!((&mut trying).now_or_never().is_none());
    assert_eq!(stage.replies().await, ("local".into(), 2));
    // Whoever gives up makes room for the next to try.
    drop(trying);
    assert_eq!(stage.replies().await, ("remote".into(), 3));
}

#[tokio::test]
async fn where_none_can_reply_it_says_when_to_come_again() {
    let stage = stage([Script::Hang(vec![]), good()]);
    let nobody = Ladder::new(Vec::new());
    let request = ChatRequest::new(vec![Message::new(Role::User, "问")]);
    let error = nobody.chat(request.clone()).await.err().unwrap();
    assert_eq!(error.code, ErrorCode::ModelUnavailable);

    let clock = stage.now.clone();
    let alone = Ladder::with_clock(
        vec![(stage.remote.clone(), patience())],
        Arc::new(move || Duration::from_secs(clock.load(Ordering::SeqCst))),
    );
    let error = alone.chat(request.clone()).await.err().unwrap();
    assert_eq!(error.code, ErrorCode::ModelTimeout);
    let error = alone.chat(request).await.err().unwrap();
    assert_eq!(
        (error.code, error.retry_after),
        (ErrorCode::ModelUnavailable, Some(30))
    );
}

#[tokio::test]
async fn a_ladder_is_a_model_like_any_other() {
    let say = ScriptedChat::replying(|request| match request.schema {
        Some(_) => Script::say(r#"{"answer":"否","sure":false}"#),
        None => Script::Say(vec!["居住证".into(), "有效期一年。".into()]),
    });
    let dead = ScriptedChat::new([]);
    let ladder = Ladder::new(vec![
        (Arc::new(dead), Patience::default()),
        (Arc::new(say), Patience::default()),
    ]);
    chat_conforms(&ladder).await;
}

//! Endpoints that hang, break off, talk rubbish, refuse and are overloaded.

use std::time::Duration;

use citymind_engine_models::{ChatAbilities, EndpointSettings, OpenAiChat};
use futures_util::StreamExt;
use kernel::{
    Error, ErrorCode,
    models::{ChatEvent, ChatModel},
};

use crate::{
    chat_replies::{question, reply},
    server::{Act, DONE, SOON, STOP, Server, answer, json, says, stream, stream_head},
};

async fn refused(settings: &EndpointSettings) -> Error {
    let error = reply(settings, question()).await.unwrap_err();
    assert!(error.message.contains("测试"), "{error:?}");
    assert!(!format!("{error:?}").contains("sk-hush"), "{error:?}");
    error
}

#[tokio::test]
async fn hanging_anywhere_ends_in_time_and_hangs_up() {
    let head = stream_head();
    let begun = stream(&[&says("好")]);
    for (acts, word) in [
        (vec![], "开始回复"),
        (vec![head], "开始回复"),
        (vec![begun], "中途停顿"),
    ] {
        let mut server = Server::start(move |_, _| {
            let sent = acts.iter().cloned().map(Act::Send);
            sent.chain([Act::Hang]).collect()
        })
        .await;
        let settings = server.hasty(|times| {
            times.first_byte = SOON;
            times.between = SOON;
        });
        // A busy machine may be late with the first piece as well.
        let error = refused(&settings).await;
        assert_eq!(error.code, ErrorCode::ModelTimeout, "{error:?}");
        assert!(
            error.message.contains(word) || error.message.contains("开始回复"),
            "{error:?}"
        );
        server.hung_up().await;
    }
}

#[tokio::test]
async fn a_reply_that_never_ends_is_ended() {
    let mut begun = stream(&[&says("好")]);
    begun.extend(b": still here\n\n".repeat(100));
    let mut server = Server::start(move |_, _| vec![Act::Send(begun.clone()), Act::Hang]).await;
    let settings = server.hasty(|times| times.whole = SOON);
    let error = refused(&settings).await;
    assert_eq!(error.code, ErrorCode::ModelTimeout, "{error:?}");
    server.hung_up().await;
}

#[tokio::test]
async fn nobody_there_is_told_apart_from_nobody_answering() {
    let mut settings = Server::always(Vec::new()).await.settings();
    // Closed before a word was said.
    assert_eq!(refused(&settings).await.code, ErrorCode::ModelUnavailable);
    settings.base_url = "http://127.0.0.1:1/v1".into();
    let error = refused(&settings).await;
    assert_eq!(error.code, ErrorCode::ModelUnavailable);
    assert!(error.message.contains("连不上"), "{error:?}");
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_not_a_reply() {
    let said = says("好");
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\ndata: {said}\n\n\r\n",
        said.len() + 8
    );
    for bytes in [stream(&[&said]), chunked.into_bytes()] {
        let server = Server::always(bytes).await;
        let model = OpenAiChat::new(&server.settings(), ChatAbilities::default()).unwrap();
        let events: Vec<_> = model.chat(question()).await.unwrap().collect().await;
        assert_eq!(*events[0].as_ref().unwrap(), ChatEvent::Text("好".into()));
        let error = events[1].as_ref().unwrap_err();
        assert_eq!(error.code, ErrorCode::ModelReply, "{error:?}");
        assert!(error.message.contains("中途断开"), "{error:?}");
        assert_eq!(events.len(), 2, "nothing follows");
    }
}

#[tokio::test]
async fn rubbish_is_called_rubbish() {
    let html = "<!DOCTYPE html><title>Welcome</title>";
    let (plain, sse) = ("text/plain", "text/event-stream");
    for (bytes, word) in [
        (answer("200 OK", "text/html; charset=utf-8", html), "网页"),
        (answer("200 OK", sse, html), "网页"),
        (answer("200 OK", "application/json", html), "网页"),
        (answer("200 OK", "application/json", "{"), "不是 JSON"),
        (
            answer("200 OK", "application/json", r#"{"ok":true}"#),
            "choices",
        ),
        (answer("200 OK", sse, "data: {\"choices\"\n\n"), "不是 JSON"),
        (answer("200 OK", sse, "data: {\"ok\":true}\n\n"), "choices"),
        (answer("200 OK", plain, "hello world\n"), "事件流"),
        (answer("200 OK", sse, ""), "空的"),
        (stream(&[DONE]), "空的"),
        (
            [stream_head(), b"data: \xff\xfe\n\n".to_vec()].concat(),
            "不是文字",
        ),
        ([stream_head(), vec![b'x'; 2 << 20]].concat(), "过大"),
        (
            answer("200 OK", "application/json", &" ".repeat(33 << 20)),
            "过大",
        ),
        (
            stream(&[
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}"#,
                STOP,
            ]),
            "参数",
        ),
        (
            stream(&[r#"{"choices":[{"delta":{},"finish_reason":"content_filter"}]}"#]),
            "审查",
        ),
    ] {
        let server = Server::always(bytes).await;
        let error = refused(&server.settings()).await;
        assert_eq!(error.code, ErrorCode::ModelReply, "{error:?}");
        assert!(error.message.contains(word), "{word}: {error:?}");
    }
}

#[tokio::test]
async fn errors_told_in_a_stream_mean_what_they_say() {
    for (event, code) in [
        (
            r#"{"error":{"code":429,"message":"busy"}}"#,
            ErrorCode::ModelUnavailable,
        ),
        (r#"{"error":{"message":"boom"}}"#, ErrorCode::ModelReply),
        (
            r#"{"error_code":336003,"error_msg":"the max input is 2000"}"#,
            ErrorCode::InvalidInput,
        ),
    ] {
        let server = Server::always(stream(&[event])).await;
        assert_eq!(refused(&server.settings()).await.code, code, "{event}");
        let server = Server::always(json(&serde_json::from_str(event).unwrap())).await;
        assert_eq!(refused(&server.settings()).await.code, code, "{event}");
    }
}

#[tokio::test]
async fn refusals_are_not_repeated() {
    for (status, code, word) in [
        ("401 Unauthorized", ErrorCode::ModelUnavailable, "检查密钥"),
        ("404 Not Found", ErrorCode::ModelUnavailable, "model-1"),
        ("400 Bad Request", ErrorCode::ModelReply, "400"),
        (
            "307 Temporary Redirect",
            ErrorCode::ModelUnavailable,
            "base_url",
        ),
    ] {
        let body = r#"{"error":{"message":"key sk-hush"}}"#;
        let server = Server::always(answer(status, "application/json", body)).await;
        let mut settings = server.settings();
        settings.retries = 3;
        let error = refused(&settings).await;
        assert_eq!(error.code, code, "{error:?}");
        assert!(error.message.contains(word), "{error:?}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

fn overloaded(status: &str, wait: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\nretry-after: {wait}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .into()
}

#[tokio::test]
async fn an_overloaded_service_is_asked_again_when_it_says() {
    let long_ago = "Sun, 06 Nov 1994 08:49:37 GMT";
    let server = Server::start(move |number, _| {
        vec![Act::Send(match number {
            0 => overloaded("429 Too Many Requests", "0"),
            1 => overloaded("503 Service Unavailable", long_ago),
            _ => stream(&[&says("好"), STOP, DONE]),
        })]
    })
    .await;
    let mut settings = server.settings();
    settings.retries = 2;
    assert_eq!(reply(&settings, question()).await.unwrap().text, "好");
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn it_is_asked_so_often_and_not_beyond_the_time_there_is() {
    let server = Server::always(overloaded("500 Internal Server Error", "0")).await;
    let mut settings = server.settings();
    settings.retries = 2;
    assert_eq!(refused(&settings).await.code, ErrorCode::ModelUnavailable);
    assert_eq!(server.requests().len(), 3);

    let server = Server::always(overloaded("429 Too Many Requests", "3600")).await;
    let mut settings = server.hasty(|times| times.whole = Duration::from_secs(30));
    settings.retries = 2;
    let error = refused(&settings).await;
    assert_eq!(error.retry_after, Some(3600));
    assert_eq!(server.requests().len(), 1, "it's not waited for");
}

#[tokio::test]
async fn dropping_a_reply_hangs_up() {
    let begun = stream(&[&says("好")]);
    let mut server = Server::start(move |_, _| vec![Act::Send(begun.clone()), Act::Hang]).await;
    let model = OpenAiChat::new(&server.settings(), ChatAbilities::default()).unwrap();
    let mut replying = model.chat(question()).await.unwrap();
    assert!(replying.next().await.unwrap().is_ok());
    drop(replying);
    server.hung_up().await;
}

#[tokio::test]
async fn the_key_does_not_show() {
    let mut settings = Server::always(Vec::new()).await.settings();
    settings.headers.insert("x-token".into(), "whisper".into());
    let model = OpenAiChat::new(&settings, ChatAbilities::default()).unwrap();
    let shown = format!("{model:?} {settings:?}");
    assert!(
        !shown.contains("hush") && !shown.contains("whisper"),
        "{shown}"
    );
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_once() {
    let settings = EndpointSettings {
        base_url: "ftp://a.example".into(),
        model: "m".into(),
        ..EndpointSettings::default()
    };
    let error = OpenAiChat::new(&settings, ChatAbilities::default()).unwrap_err();
    assert_eq!(error.code, ErrorCode::InvalidInput);
}

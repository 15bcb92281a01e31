//! What an administrator sees of jobs, and what stays behind of them.

use citymind_platform::jobs::{JobFilter, State, capabilities};
use kernel::{
    ErrorCode,
    capability::{Context, Permission, Registered},
    page::PageRequest,
    records::{Collection, Query},
};
use serde_json::{Value, json};

use super::stage::*;

#[tokio::test(flavor = "multi_thread")]
async fn artifacts_and_the_latest_lines_of_the_log_can_be_read() {
    on_each_store(async |stage| {
        let play = Play::new(async |job| {
            job.attach("报表.csv", "text/csv", b"old".to_vec()).await?;
            job.attach("报表.csv", "text/csv", b"a,b\n".to_vec())
                .await?;
            let refused = job.attach("../x", "text/plain", Vec::new()).await;
            assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidInput);
            for n in 0..1205 {
                job.log(format!("line {n}"));
                if n % 100 == 0 {
                    job.commit(Vec::new(), json!(n)).await?;
                }
            }
            Ok(json!({"rows": 1}))
        });
        let jobs = stage.jobs(&[&play]).await;
        let workers = start(&jobs);
        let id = jobs.enqueue(new("x")).await.unwrap().id;
        let done = until(&jobs, &id, State::Done).await;
        workers.stop().await;
        assert_eq!(done.artifacts.len(), 1);
        let (media, bytes) = jobs.artifact(&id, "报表.csv").await.unwrap();
        assert_eq!((media.as_str(), &*bytes), ("text/csv", &b"a,b\n"[..]));
        let missing = jobs.artifact(&id, "other").await.unwrap_err();
        assert_eq!(missing.code, ErrorCode::NotFound);

        let page = |page| PageRequest {
            page: Some(page),
            page_size: Some(3),
        };
        let log = jobs.log(&id, page(1)).await.unwrap();
        let lines: Vec<&str> = log.items.iter().map(|l| l.line.as_str()).collect();
        assert_eq!(lines, ["line 1202", "line 1203", "line 1204"]);
        assert_eq!(log.total, 1000);
        let log = jobs.log(&id, page(2)).await.unwrap();
        assert_eq!(log.items[0].line, "line 1199");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_finished_jobs_are_swept_with_their_logs_and_keys() {
    on_each_store(async |stage| {
        let play = Play::new(async |job| {
            job.log("one");
            job.log("two");
            Ok(Value::Null)
        });
        let jobs = stage.jobs(&[&play]).await;
        let workers = start(&jobs);
        let old = jobs.enqueue(new("old").with_key("k")).await.unwrap().id;
        until(&jobs, &old, State::Done).await;
        stage.pass(40 * 24 * 3600);
        let young = jobs.enqueue(new("young")).await.unwrap().id;
        until(&jobs, &young, State::Done).await;
        workers.stop().await;
        let waiting = jobs.enqueue(new("waiting")).await.unwrap().id;
        assert_eq!(jobs.sweep(30).await.unwrap(), 1);
        assert_eq!(jobs.sweep(30).await.unwrap(), 0);
        assert_eq!(jobs.get(&old).await.unwrap_err().code, ErrorCode::NotFound);
        for id in [&young, &waiting] {
            jobs.get(id).await.unwrap();
        }
        for (name, left) in [("job_logs", 2), ("job_keys", 0)] {
            let collection = Collection { name, indexed: &[] };
            let found = stage.records.find(&collection, &Query::default()).await;
            assert_eq!(found.unwrap().len(), left, "{name}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_lists_starts_cancels_and_retries_jobs() {
    on_each_store(async |stage| {
        let play = Play::idle();
        let hidden = Play::of("test.hidden", Default::default(), async |_| Ok(Value::Null));
        let jobs = stage.jobs(&[&play, &hidden]).await;
        let all = capabilities::all(&jobs);
        for capability in &all {
            let definition = &capability.definition;
            assert_eq!(definition.permission, Permission::ADMINISTRATOR);
        }
        let call = async |name: &str, input: Value| {
            let found = all.iter().find(|c: &&Registered| c.definition.name == name);
            found.unwrap().call(&Context::default(), input).await
        };
        let kinds = call("jobs.kinds", json!({})).await.unwrap();
        assert_eq!(kinds["items"][1]["name"], "test.play");
        assert_eq!(kinds["items"][0]["startable"], false);
        for kind in ["test.hidden", "test.unknown"] {
            let refused = call("jobs.start", json!({"kind": kind})).await;
            assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidInput);
        }
        let started = json!({"kind": "test.play", "input": {"n": 1}});
        let started = call("jobs.start", started).await.unwrap();
        let id = started["id"].as_str().unwrap();
        assert_eq!(
            (&started["state"], &started["title"]),
            (&json!("queued"), &json!("试验任务"))
        );
        let cancelled = call("jobs.cancel", json!({"id": id})).await.unwrap();
        assert_eq!(cancelled["state"], "cancelled");
        let retried = call("jobs.retry", json!({"id": id})).await.unwrap();
        assert_eq!(retried["state"], "queued");
        let got = call("jobs.get", json!({"id": id})).await.unwrap();
        assert_eq!(
            (&got["job"]["input"]["n"], &got["log"]["total"]),
            (&json!(1), &json!(0))
        );
        let missing = call("jobs.get", json!({"id": "nothing"}))
            .await
            .unwrap_err();
        assert_eq!(missing.code, ErrorCode::NotFound);

        let other = jobs.enqueue(new(2).titled("另一个")).await.unwrap();
        let listed = call("jobs.list", json!({"page_size": 1})).await.unwrap();
        assert_eq!(
            (&listed["total"], &listed["items"][0]["title"]),
            (&json!(2), &json!("另一个"))
        );
        let filter = JobFilter {
            text: Some("另一".into()),
            state: Some(State::Queued),
            kind: Some("test.play".into()),
            ..JobFilter::default()
        };
        let found = jobs.list(&filter).await.unwrap();
        assert_eq!((found.total, &found.items[0].id), (1, &other.id));
        assert_eq!(
            call("jobs.schedules", json!({})).await.unwrap()["items"],
            json!([])
        );
    })
    .await;
}

//! Killed at random moments, again and again, while events and jobs run: nothing acknowledged is lost, no handler's effect
//! is doubled, no step of a job is made twice, and the audit log stays whole.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod common;

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use engine_store::{LocalFiles, SqliteRecords};
use kernel::{
    Result,
    capability::{Context, Definition},
    events::{EVENTS, Event},
    identity::Caller,
    records::{Collection, Query, Records, Write},
};
use platform::{
    audit::{Act, Audit},
    changes::Changes,
    events::{Events, Handler, Options},
    jobs::{self, JobKind, Jobs},
};
use serde_json::{Value, json};

const KILLS: usize = 50;
const SUBJECTS: u64 = 7;
const STEPS: u64 = 40;

/// What the handler makes of events: a count a subject, and the numbers in the order in which they came.
const TALLIES: Collection = Collection {
    name: "tallies",
    indexed: &[],
};
/// What was written and acknowledged.
const NOTES: Collection = Collection {
    name: "kill_notes",
    indexed: &[],
};
/// The steps that jobs made, each with how often.
const MADE: Collection = Collection {
    name: "kill_steps",
    indexed: &["job"],
};

struct Tally(Arc<dyn Records>);

#[async_trait]
impl Handler for Tally {
    fn name(&self) -> &'static str {
        "tally"
    }

    fn kinds(&self) -> &[&str] {
        &["test.noted"]
    }

    async fn handle(&self, event: &Event) -> Result<Vec<Write>> {
        let tally: Option<Value> = self.0.read(&TALLIES, &event.subject).await?;
        let mut tally = tally.unwrap_or_else(|| json!({"count": 0, "numbers": []}));
        tally["count"] = json!(tally["count"].as_u64().unwrap_or_default() + 1);
        if let Some(numbers) = tally["numbers"].as_array_mut() {
            numbers.push(event.data["number"].clone());
        }
        Ok(vec![Write::put(&TALLIES, &event.subject, &tally)?])
    }
}

/// Makes its steps one by one, each with its checkpoint.
struct Stepper(Arc<dyn Records>);

#[async_trait]
impl JobKind for Stepper {
    fn name(&self) -> &'static str {
        "test.steps"
    }

    fn title(&self) -> &'static str {
        "逐步作业"
    }

    fn limits(&self) -> jobs::Limits {
        jobs::Limits {
            attempts: 1_000,
            ..jobs::Limits::default()
        }
    }

    async fn run(&self, job: &jobs::Running) -> Result<Value> {
        let from = job.checkpoint().as_u64().unwrap_or_default();
        for step in from..STEPS {
            let id = format!("{}-{step:03}", job.id());
            let made: Option<Value> = self.0.read(&MADE, &id).await?;
            let times = made.map_or(0, |m| m["times"].as_u64().unwrap_or_default()) + 1;
            let write = Write::put(&MADE, id, &json!({"job": job.id(), "times": times}))?;
            job.commit(vec![write], json!(step + 1)).await?;
            job.progress(step + 1, STEPS, "")?;
        }
        Ok(json!({"steps": STEPS}))
    }
}

struct World {
    records: Arc<dyn Records>,
    audit: Arc<Audit>,
    events: Events,
    jobs: Jobs,
    store: Arc<Changes>,
}

async fn world(data: &Path) -> World {
    let sqlite = SqliteRecords::open(&data.join("db")).unwrap();
    let store = Changes::new(Arc::new(sqlite));
    let audit = Audit::open(store.clone()).await.unwrap();
    audit.spawn();
    let records = audit.accompany();
    records
        .define(&[EVENTS, TALLIES, NOTES, MADE])
        .await
        .unwrap();
    let tally: Arc<dyn Handler> = Arc::new(Tally(records.clone()));
    let events = Events::open(records.clone(), None, vec![tally], Options::default())
        .await
        .unwrap();
    let files = Arc::new(LocalFiles::new(data.join("files")));
    let kinds: Vec<Arc<dyn JobKind>> = vec![Arc::new(Stepper(records.clone()))];
    let options = jobs::Options {
        // Whoever was killed is missed soon: the test is not to wait for it.
        lease: Duration::from_millis(300),
        poll: Duration::from_millis(50),
        ..jobs::Options::default()
    };
    let jobs = Jobs::open(records.clone(), files, kinds, Vec::new(), options)
        .await
        .unwrap();
    World {
        records,
        audit,
        events,
        jobs,
        store,
    }
}

const NOTE: Definition = Definition::post("test.note", "记一笔", "", "/test");

/// Writes notes, each with its event and its audit entry, and says on standard output what was acknowledged.
async fn write_notes(world: &World, from: u64) {
    let mut out = std::io::stdout();
    for number in from.. {
        let subject = format!("s{}", number % SUBJECTS);
        let context = Context::of(Caller::system("测试"));
        let event = Event::new("test.noted", &subject, json!({"number": number}));
        let batch = vec![
            Write::put(&NOTES, format!("{number:06}"), &json!({"number": number})).unwrap(),
            event.write().unwrap(),
        ];
        let act = Act::of(&NOTE, &context, number.to_string());
        let written = world
            .audit
            .during(&context, act, world.records.apply(batch))
            .await;
        if written.is_ok() {
            writeln!(out, "note {number}").unwrap();
        }
        if number % 40 == 0 {
            let new = jobs::NewJob::new("test.steps", json!({}));
            let job = world.jobs.enqueue(new).await.unwrap();
            writeln!(out, "job {}", job.id).unwrap();
        }
        out.flush().unwrap();
    }
}

/// The process that is killed. Not a test by itself: it runs only as the child of the one below.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the test below"]
async fn worker() {
    let Ok(data) = std::env::var("KILLS_DATA") else {
        return;
    };
    let world = world(Path::new(&data)).await;
    let _events = world.events.start(&world.store.of(&EVENTS));
    let _jobs = world.jobs.start(&world.store.of(&jobs::JOBS));
    let from = world.records.count(&NOTES, &[]).await.unwrap();
    // The last line tells where the numbers go on; what was written without being told is told by its number.
    let last = world.records.find(&NOTES, &Query::default()).await.unwrap();
    let from = last
        .last()
        .map_or(from, |r| r.body["number"].as_u64().unwrap_or_default() + 1);
    write_notes(&world, from).await;
}

fn start(data: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker", "--ignored", "--nocapture", "--quiet"])
        .env("KILLS_DATA", data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs the worker, kills it at a moment that nobody chose, and returns what it had acknowledged.
fn run_and_kill(data: &Path, after: Duration) -> (Vec<u64>, Vec<String>) {
    let mut child = start(data);
    let out = child.stdout.take().unwrap();
    let reading = std::thread::spawn(move || {
        let lines = BufReader::new(out).lines();
        lines.map_while(|l| l.ok()).collect::<Vec<_>>()
    });
    // The moment itself is what is tested.
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    let (mut notes, mut jobs) = (Vec::new(), Vec::new());
    for line in reading.join().unwrap() {
        match line.split_once(' ') {
            Some(("note", number)) => notes.extend(number.parse::<u64>()),
            Some(("job", id)) => jobs.push(id.to_owned()),
            _ => {}
        }
    }
    (notes, jobs)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data: PathBuf = folder.path().to_owned();
    let (mut notes, mut queued) = (Vec::new(), Vec::new());
    let mut moment = 0x2545_F491_4F6C_DD1D_u64 ^ u64::from(std::process::id());
    for _ in 0..KILLS {
        // xorshift64: any moment from 60 to 400 milliseconds after the start.
        moment ^= moment << 13;
        moment ^= moment >> 7;
        moment ^= moment << 17;
        let after = Duration::from_millis(60 + moment % 340);
        let data = data.clone();
        let told = tokio::task::spawn_blocking(move || run_and_kill(&data, after))
            .await
            .unwrap();
        notes.extend(told.0);
        queued.extend(told.1);
    }
    assert!(notes.len() > 200, "only {} notes were made", notes.len());
    assert!(queued.len() > 5, "only {} jobs were queued", queued.len());
    let world = world(&data).await;
    let events = world.events.start(&world.store.of(&EVENTS));
    let running = world.jobs.start(&world.store.of(&jobs::JOBS));
    let stored = world.records.find(&NOTES, &Query::default()).await.unwrap();
    let all: Vec<u64> = stored
        .iter()
        .map(|r| r.body["number"].as_u64().unwrap())
        .collect();
    for number in &notes {
        assert!(
            all.contains(number),
            "note {number} was acknowledged and is lost"
        );
    }
    let want = tallies_of(&all);
    common::wait_for("every event to be handled", || async {
        let have = tallies(&world.records).await;
        (have.values().map(Vec::len).sum::<usize>() >= all.len()).then_some(())
    })
    .await;
    assert_eq!(tallies(&world.records).await, want, "each once, in order");
    for id in &queued {
        common::wait_for("the jobs to end", || async {
            let job = world.jobs.get(id).await.unwrap();
            (job.state == jobs::State::Done).then_some(())
        })
        .await;
    }
    running.stop().await;
    events.stop().await;
    let steps = world.records.find(&MADE, &Query::default()).await.unwrap();
    for step in &steps {
        assert_eq!(step.body["times"], 1, "step {} was made twice", step.id);
    }
    for id in &queued {
        let own = steps.iter().filter(|s| s.body["job"] == id.as_str());
        assert_eq!(own.count() as u64, STEPS, "job {id}");
    }
    let verdict = world.audit.verify().await.unwrap();
    assert_eq!(verdict.broken, None);
    assert!(verdict.entries > all.len() as u64, "{verdict:?}");
    println!(
        "{KILLS} kills: {} notes acknowledged of {} stored, {} jobs, {} audit entries in {} chains",
        notes.len(),
        all.len(),
        queued.len(),
        verdict.entries,
        verdict.chains
    );
}

fn tallies_of(all: &[u64]) -> BTreeMap<String, Vec<u64>> {
    let mut want: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for number in all {
        let subject = format!("s{}", number % SUBJECTS);
        want.entry(subject).or_default().push(*number);
    }
    want
}

async fn tallies(records: &Arc<dyn Records>) -> BTreeMap<String, Vec<u64>> {
    let found = records.find(&TALLIES, &Query::default()).await.unwrap();
    let numbers = |body: &Value| -> Vec<u64> {
        let numbers = body["numbers"].as_array().unwrap();
        let numbers: Vec<u64> = numbers.iter().map(|n| n.as_u64().unwrap()).collect();
        assert_eq!(body["count"], numbers.len(), "{body}");
        numbers
    };
    let found = found.into_iter();
    found.map(|r| (r.id, numbers(&r.body))).collect()
}

//! Sign-ins, locks and links in the course of time: what is stored is aged, nothing waits.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use async_trait::async_trait;
use citymind_platform::identity::{Client, Identity, Redeemed, SignedIn, Terms, Token, User};
use jiff::{SignedDuration, Timestamp};
use kernel::{
    ErrorCode, Result,
    records::{Collection, Condition, Query, Record, Records, Write},
    testkit::MemoryRecords,
    time,
};
use serde_json::{Value, json};

const SIGN_INS: Collection = collection("sign_ins");
const USERS: Collection = collection("users");
const FAILURES: Collection = collection("sign_in_failures");
const LINKS: Collection = collection("sign_in_links");
const FLOWS: Collection = collection("sign_in_flows");
const PASSWORD: &str = "四个 不相关的 词 horse";
const HERE: Client<'static> = Client {
    address: "203.0.113.1",
    agent: "browser",
    bearer: false,
};
const PROGRAM: Client<'static> = Client {
    bearer: true,
    ..HERE
};

const fn collection(name: &'static str) -> Collection {
    Collection { name, indexed: &[] }
}

fn seconds(n: i64) -> SignedDuration {
    SignedDuration::from_secs(n)
}

fn minutes(n: i64) -> SignedDuration {
    SignedDuration::from_mins(n)
}

/// A store with one administrator. Every process that looks is a new one: none remembers what was before.
struct City {
    records: Arc<dyn Records>,
}

impl City {
    async fn new() -> Self {
        Self::on(Arc::new(MemoryRecords::default())).await
    }

    async fn on(records: Arc<dyn Records>) -> Self {
        let city = Self { records };
        let identity = city.process().await;
        let link = identity.setup_link().await.unwrap().unwrap();
        identity.redeem(form(&link.path), HERE).await.unwrap();
        city.forget(&SIGN_INS).await;
        city
    }

    async fn process(&self) -> Arc<Identity> {
        let opened = Identity::open(self.records.clone(), Terms::default()).await;
        opened.unwrap()
    }

    async fn forget(&self, collection: &Collection) {
        for record in self.all(collection).await {
            let gone = Write::Delete {
                collection: collection.name,
                id: record.id,
            };
            self.records.apply(vec![gone]).await.unwrap();
        }
    }

    async fn all(&self, collection: &Collection) -> Vec<Record> {
        let found = self.records.find(collection, &Query::default()).await;
        found.unwrap()
    }

    /// Moves the moments in these fields of all records.
    async fn shift(&self, collection: &Collection, fields: &[&str], by: SignedDuration) {
        for mut record in self.all(collection).await {
            for field in fields {
                if let Some(at) = record.body[*field].as_str().filter(|t| !t.is_empty()) {
                    let at: Timestamp = at.parse().unwrap();
                    record.body[*field] = time::format(at + by).into();
                }
            }
            self.put(collection, &record.id, &record.body).await;
        }
    }

    async fn put(&self, collection: &Collection, id: &str, body: &Value) {
        let put = Write::put(collection, id, body).unwrap();
        self.records.apply(vec![put]).await.unwrap();
    }

    /// So much time goes by for every sign-in.
    async fn pass(&self, time: SignedDuration) {
        let all = [
            "signed_in_at",
            "issued_at",
            "seen_at",
            "expires_at",
            "replaced_at",
        ];
        self.shift(&SIGN_INS, &all, -time).await;
    }

    async fn sign_in(&self, client: Client<'_>) -> Result<(User, Token)> {
        self.process()
            .await
            .sign_in("admin", PASSWORD, client)
            .await
    }

    async fn token(&self, client: Client<'_>) -> String {
        self.sign_in(client).await.unwrap().1.secret
    }

    async fn show(&self, token: &str) -> Result<SignedIn> {
        self.process().await.authenticate(token).await
    }

    /// The message with which a token is refused.
    async fn refused(&self, token: &str) -> String {
        let error = self.show(token).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::SignInFailed);
        error.message
    }

    /// The token that replaces one by now.
    async fn replaced(&self, token: &str) -> String {
        let shown = self.show(token).await.unwrap();
        shown.replacement.unwrap().secret
    }
}

fn form(path: &str) -> Redeemed<'_> {
    Redeemed {
        secret: path.split_once('#').unwrap().1,
        login: None,
        name: None,
        password: PASSWORD,
    }
}

#[tokio::test]
async fn a_browsers_token_is_replaced_when_it_is_an_hour_old_and_the_old_one_counts_a_minute_more()
{
    let city = City::new().await;
    let first = city.token(HERE).await;
    city.pass(minutes(59)).await;
    assert!(city.show(&first).await.unwrap().replacement.is_none());
    city.pass(minutes(2)).await;
    let second = city.replaced(&first).await;
    assert_ne!(first, second);
    // Requests under way carry the old one.
    city.pass(seconds(55)).await;
    assert!(city.show(&first).await.unwrap().replacement.is_none());
    assert!(city.show(&second).await.unwrap().replacement.is_none());
    let account = city.show(&second).await.unwrap().account;
    assert_eq!(account.name, "管理员");
    // And so on; one sign-in is told of.
    city.pass(minutes(61)).await;
    let third = city.replaced(&second).await;
    city.show(&third).await.unwrap();
}

#[tokio::test]
async fn a_replaced_token_that_comes_again_later_ends_the_whole_sign_in_and_no_other() {
    let city = City::new().await;
    let other = city.token(HERE).await;
    let first = city.token(HERE).await;
    city.pass(minutes(61)).await;
    let second = city.replaced(&first).await;
    city.pass(minutes(61)).await;
    let third = city.replaced(&second).await;
    let told = city.refused(&first).await;
    assert!(told.contains("泄露"), "{told}");
    for token in [&first, &second, &third] {
        let told = city.refused(token).await;
        assert!(told.contains("已过期"), "{told}");
    }
    assert_eq!(city.all(&SIGN_INS).await.len(), 1);
    // The other one is two hours old and seen within, by its own browser.
    city.shift(&SIGN_INS, &["seen_at"], minutes(60)).await;
    city.show(&other).await.unwrap();
}

#[tokio::test]
async fn a_thief_who_waits_longer_than_the_idle_time_is_noticed_as_well() {
    let city = City::new().await;
    let first = city.token(HERE).await;
    city.pass(minutes(61)).await;
    let mut last = city.replaced(&first).await;
    for _ in 0..3 {
        city.pass(minutes(61)).await;
        last = city.replaced(&last).await;
    }
    let told = city.refused(&first).await;
    assert!(told.contains("泄露"), "{told}");
    city.refused(&last).await;
}

#[tokio::test]
async fn requests_at_the_same_time_replace_a_token_once() {
    for late in 0..6 {
        let records = Arc::new(Yielding(MemoryRecords::default()));
        let city = City::on(records).await;
        let token = city.token(HERE).await;
        city.pass(minutes(61)).await;
        let process = city.process().await;
        let (one, other) = tokio::join!(process.authenticate(&token), async {
            for _ in 0..late {
                tokio::task::yield_now().await;
            }
            process.authenticate(&token).await
        });
        let replaced = [one, other].map(|shown| shown.unwrap().replacement.is_some());
        assert_eq!(
            replaced.iter().filter(|r| **r).count(),
            1,
            "{late} steps later"
        );
        assert_eq!(city.all(&SIGN_INS).await.len(), 2);
    }
}

#[tokio::test]
async fn a_programs_token_is_never_replaced() {
    let city = City::new().await;
    let token = city.token(PROGRAM).await;
    for _ in 0..6 {
        city.pass(minutes(110)).await;
        let shown = city.show(&token).await.unwrap();
        assert!(shown.bearer && shown.replacement.is_none());
    }
}

#[tokio::test]
async fn a_sign_in_ends_after_two_hours_without_a_request() {
    let city = City::new().await;
    let token = city.token(PROGRAM).await;
    city.pass(minutes(119)).await;
    city.show(&token).await.unwrap();
    // That was a request.
    city.pass(minutes(119)).await;
    city.show(&token).await.unwrap();
    city.pass(minutes(121)).await;
    let told = city.refused(&token).await;
    assert!(told.contains("已过期"), "{told}");
}

#[tokio::test]
async fn a_sign_in_ends_after_twelve_hours_whatever_happens() {
    let city = City::new().await;
    let mut token = city.token(HERE).await;
    for _ in 0..7 {
        city.pass(minutes(100)).await;
        token = city.replaced(&token).await;
    }
    city.pass(minutes(19)).await;
    city.show(&token).await.unwrap();
    city.pass(minutes(2)).await;
    let told = city.refused(&token).await;
    assert!(told.contains("已过期"), "{told}");
}

#[tokio::test]
async fn a_clock_that_goes_wrong_by_minutes_lets_nobody_fall_out_and_nobody_stay() {
    let city = City::new().await;
    let token = city.token(HERE).await;
    // Issued by a process whose clock is ahead.
    city.pass(-minutes(5)).await;
    assert!(city.show(&token).await.unwrap().replacement.is_none());
    city.pass(minutes(5 + 61)).await;
    let next = city.replaced(&token).await;
    // Replaced in what is still to come: within its grace.
    city.shift(&SIGN_INS, &["replaced_at"], minutes(5)).await;
    city.show(&token).await.unwrap();
    city.show(&next).await.unwrap();
    city.shift(&SIGN_INS, &["replaced_at"], -minutes(7)).await;
    city.refused(&token).await;
    city.refused(&next).await;
}

#[tokio::test]
async fn an_account_that_is_disabled_or_gone_shows_no_token_that_counts() {
    let city = City::new().await;
    let token = city.token(HERE).await;
    let user = city.all(&USERS).await.pop().unwrap();
    for state in ["disabled", "invited"] {
        let mut body = user.body.clone();
        body["state"] = state.into();
        city.put(&USERS, &user.id, &body).await;
        city.refused(&token).await;
        let out = city.sign_in(HERE).await.unwrap_err();
        assert_eq!(out.code, ErrorCode::SignInFailed);
    }
    city.put(&USERS, &user.id, &user.body).await;
    city.show(&token).await.unwrap();
    city.forget(&USERS).await;
    city.refused(&token).await;
}

#[tokio::test]
async fn a_lock_lasts_longer_with_each_failure_and_is_forgotten_in_the_end() {
    let city = City::new().await;
    let fail = async || {
        let process = city.process().await;
        let wrong = process.sign_in("admin", "wrong password", HERE).await;
        wrong.unwrap_err().code
    };
    for _ in 0..4 {
        assert_eq!(fail().await, ErrorCode::SignInFailed);
    }
    let mut locks = Vec::new();
    for _ in 0..9 {
        assert_eq!(fail().await, ErrorCode::LockedOut);
        assert_eq!(
            city.sign_in(HERE).await.unwrap_err().code,
            ErrorCode::LockedOut,
            "the right password as well"
        );
        let failures = city.all(&FAILURES).await.pop().unwrap().body;
        let moment =
            |field: &str| -> Timestamp { failures[field].as_str().unwrap().parse().unwrap() };
        let lock = moment("locked_until").duration_since(moment("last_at"));
        locks.push((lock.as_secs_f64() / 60.0).round() as i64);
        // The lock is over, and the failures are not forgotten yet.
        let over = -(lock + seconds(1));
        city.shift(&FAILURES, &["locked_until"], over).await;
    }
    assert_eq!(locks, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    city.shift(&FAILURES, &["last_at"], -minutes(31)).await;
    for _ in 0..4 {
        assert_eq!(fail().await, ErrorCode::SignInFailed);
    }
    city.sign_in(HERE).await.unwrap();
    assert!(city.all(&FAILURES).await.is_empty());
}

#[tokio::test]
async fn guesses_at_the_same_time_are_all_counted() {
    let records = Arc::new(Yielding(MemoryRecords::default()));
    let city = City::on(records).await;
    let process = city.process().await;
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..8 {
        let process = process.clone();
        guesses.spawn(async move {
            let guess = format!("wrong password {n}");
            process
                .sign_in("admin", &guess, HERE)
                .await
                .unwrap_err()
                .code
        });
    }
    let told = guesses.join_all().await;
    let failures = city.all(&FAILURES).await.pop().unwrap().body;
    let refused = |code| told.iter().filter(|c| **c == code).count();
    assert_eq!(refused(ErrorCode::SignInFailed), 4, "{told:?}");
    assert_eq!(refused(ErrorCode::LockedOut), 4, "{told:?}");
    assert!(failures["count"].as_u64().unwrap() >= 5, "{failures}");
    let right = process.sign_in("admin", PASSWORD, HERE).await;
    assert_eq!(right.unwrap_err().code, ErrorCode::LockedOut);
}

#[tokio::test]
async fn a_link_that_is_three_days_old_opens_nothing() {
    let records: Arc<dyn Records> = Arc::new(MemoryRecords::default());
    let city = City { records };
    let link = city.process().await.setup_link().await.unwrap().unwrap();
    city.shift(&LINKS, &["expires_at"], -minutes(72 * 60 + 1))
        .await;
    let process = city.process().await;
    let secret = form(&link.path).secret;
    let viewed = process.link(secret).await.unwrap_err();
    let redeemed = process.redeem(form(&link.path), HERE).await.unwrap_err();
    assert_eq!(viewed.code, ErrorCode::SignInFailed);
    assert_eq!(redeemed.code, ErrorCode::SignInFailed);
    assert!(!process.has_administrator().await.unwrap());
}

#[tokio::test]
async fn what_went_to_a_provider_comes_back_once_within_ten_minutes_in_the_same_browser() {
    let city = City::new().await;
    let process = city.process().await;
    let keep = async |state: &str| {
        let kept = process.keep_flow(state, "browser", json!({"n": 1}), "/to");
        kept.await.unwrap();
    };
    let gone = async |state: &str, browser: &str| {
        let taken = process.take_flow(state, browser).await;
        assert_eq!(taken.unwrap_err().code, ErrorCode::SignInFailed);
    };
    keep("one").await;
    gone("one", "another").await;
    gone("other", "browser").await;
    let taken = process.take_flow("one", "browser").await.unwrap();
    assert_eq!(taken, (json!({"n": 1}), "/to".to_owned()));
    gone("one", "browser").await;
    keep("late").await;
    city.shift(&FLOWS, &["expires_at"], -minutes(10)).await;
    gone("late", "browser").await;
}

#[tokio::test]
async fn two_who_bring_the_same_thing_back_at_the_same_time_are_one_too_many() {
    let records = Arc::new(Yielding(MemoryRecords::default()));
    let city = City::on(records).await;
    let process = city.process().await;
    process
        .keep_flow("state", "browser", Value::Null, "/")
        .await
        .unwrap();
    let (one, other) = tokio::join!(
        process.take_flow("state", "browser"),
        process.take_flow("state", "browser")
    );
    assert!(one.is_ok() != other.is_ok());
    // The same holds for a link.
    city.forget(&USERS).await;
    let link = process.setup_link().await.unwrap().unwrap();
    let (one, other) = tokio::join!(
        process.redeem(form(&link.path), HERE),
        process.redeem(form(&link.path), HERE)
    );
    assert!(one.is_ok() != other.is_ok());
}

#[tokio::test]
async fn what_counts_no_more_is_swept_away_and_what_counts_stays() {
    let city = City::new().await;
    let old = city.token(HERE).await;
    let process = city.process().await;
    let _ = process.sign_in("nobody", "wrong password", HERE).await;
    process
        .keep_flow("state", "browser", Value::Null, "/")
        .await
        .unwrap();
    city.pass(minutes(12 * 60 + 1)).await;
    city.shift(&FAILURES, &["last_at"], -minutes(24 * 60 + 1))
        .await;
    city.shift(&FLOWS, &["expires_at"], -minutes(11)).await;
    city.shift(&LINKS, &["expires_at"], -minutes(73 * 60)).await;
    let new = city.token(HERE).await;
    let _ = process.sign_in("somebody", "wrong password", HERE).await;
    assert_eq!(city.process().await.sweep().await.unwrap(), 4);
    city.refused(&old).await;
    city.show(&new).await.unwrap();
    assert_eq!(city.all(&FAILURES).await.len(), 1);
    assert_eq!(city.process().await.sweep().await.unwrap(), 0);
}

/// Records that let others go first at each call, as every real store does.
struct Yielding(MemoryRecords);

#[async_trait]
impl Records for Yielding {
    async fn define(&self, collections: &[Collection]) -> Result<()> {
        self.0.define(collections).await
    }

    async fn get(&self, collection: &Collection, id: &str) -> Result<Option<Record>> {
        tokio::task::yield_now().await;
        self.0.get(collection, id).await
    }

    async fn find(&self, collection: &Collection, query: &Query) -> Result<Vec<Record>> {
        tokio::task::yield_now().await;
        self.0.find(collection, query).await
    }

    async fn count(&self, collection: &Collection, all: &[Condition]) -> Result<u64> {
        self.0.count(collection, all).await
    }

    async fn count_by(
        &self,
        collection: &Collection,
        field: &str,
        all: &[Condition],
    ) -> Result<Vec<(Value, u64)>> {
        self.0.count_by(collection, field, all).await
    }

    async fn apply(&self, batch: Vec<Write>) -> Result<u64> {
        tokio::task::yield_now().await;
        self.0.apply(batch).await
    }

    async fn revision(&self) -> Result<u64> {
        self.0.revision().await
    }
}

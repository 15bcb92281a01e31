//! The codes and access tokens that are out.

use std::collections::HashMap;

use kernel::id;

use super::DemoPerson;

/// How long a code holds, in seconds.
const CODE_LIFE: i64 = 60;
/// How long an access token holds, in seconds. A used code is remembered as long, so that its replay is noticed.
pub(super) const ACCESS_LIFE: i64 = 300;
/// The most codes at a time: anybody can ask for one.
const MOST: usize = 10_000;

/// What a code stands for.
#[derive(Clone)]
pub(super) struct Code {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) nonce: Option<String>,
    pub(super) challenge: String,
    pub(super) person: DemoPerson,
}

#[derive(Default)]
pub(super) struct Issued {
    codes: HashMap<String, Given>,
    tokens: HashMap<String, (i64, DemoPerson)>,
}

struct Given {
    at: i64,
    code: Code,
    used: bool,
    token: Option<String>,
}

impl Issued {
    /// A new code; none if too many are out.
    pub(super) fn code(&mut self, code: Code, now: i64) -> Option<String> {
        self.forget(now);
        if self.codes.len() >= MOST {
            return None;
        }
        let name = id::secret();
        let given = Given {
            at: now,
            code,
            used: false,
            token: None,
        };
        self.codes.insert(name.clone(), given);
        Some(name)
    }

    /// What the code stands for, the first time, whatever comes of it. The second time takes back what the first gave: one
    /// of the two who know the code is a thief.
    pub(super) fn redeem(&mut self, name: &str, now: i64) -> Result<Code, &'static str> {
        self.forget(now);
        let given = self.codes.get_mut(name).ok_or("unknown code")?;
        if given.used {
            if let Some(token) = given.token.take() {
                self.tokens.remove(&token);
            }
            return Err("the code has been used");
        }
        given.used = true;
        if now - given.at > CODE_LIFE {
            return Err("the code has expired");
        }
        Ok(given.code.clone())
    }

    /// A new access token for whom the code stands for.
    pub(super) fn access(&mut self, code: &str, person: DemoPerson, now: i64) -> String {
        let token = id::secret();
        self.tokens.insert(token.clone(), (now, person));
        if let Some(given) = self.codes.get_mut(code) {
            given.token = Some(token.clone());
        }
        token
    }

    /// Whom an access token stands for.
    pub(super) fn person(&self, token: &str, now: i64) -> Option<&DemoPerson> {
        let (at, person) = self.tokens.get(token)?;
        (now - at <= ACCESS_LIFE).then_some(person)
    }

    fn forget(&mut self, now: i64) {
        self.codes
            .retain(|_, given| now - given.at <= ACCESS_LIFE + CODE_LIFE);
        self.tokens.retain(|_, (at, _)| now - *at <= ACCESS_LIFE);
    }
}

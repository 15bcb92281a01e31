//! How many requests each caller may send: by key, by account, by address for whoever is anonymous.
//!
//! The generic cell rate algorithm (a leaky bucket as a meter), per process.

use std::num::NonZeroU32;

use governor::{
    Quota, RateLimiter, clock::Clock, clock::DefaultClock, state::keyed::DefaultKeyedStateStore,
};
use kernel::{capability::Caller, identity::Via};

use crate::config::RateLimits;

type Limiter = RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock>;

/// The limits.
pub(crate) struct Limits {
    address: Limiter,
    user: Limiter,
    key: Limiter,
    sign_in: Limiter,
    clock: DefaultClock,
}

fn limiter(per_second: u32) -> Limiter {
    let rate = NonZeroU32::new(per_second).unwrap_or(NonZeroU32::MIN);
    // A page asks for a dozen things at once, and then for nothing: ten seconds' worth may come together.
    let burst = rate.saturating_mul(NonZeroU32::MIN.saturating_add(9));
    RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
}

impl Limits {
    pub(crate) fn new(rates: &RateLimits) -> Self {
        let attempts = NonZeroU32::new(rates.sign_ins_per_minute).unwrap_or(NonZeroU32::MIN);
        Self {
            address: limiter(rates.per_address),
            user: limiter(rates.per_user),
            key: limiter(rates.per_key),
            sign_in: RateLimiter::keyed(Quota::per_minute(attempts)),
            clock: DefaultClock::default(),
        }
    }

    /// Lets a request in, or says in how many seconds the next will be.
    pub(super) fn admit(&self, caller: &Caller) -> Result<(), u64> {
        let (limiter, who) = match &caller.account {
            Some(account) if account.via == Via::System => return Ok(()),
            Some(account) if account.via == Via::Key => (&self.key, account.id.clone()),
            Some(account) => (&self.user, account.id.clone()),
            None => (&self.address, address(caller)),
        };
        self.check(limiter, &who)
    }

    /// Lets an attempt to sign in in, or says in how many seconds the next will be.
    pub(super) fn admit_sign_in(&self, caller: &Caller) -> Result<(), u64> {
        self.check(&self.sign_in, &address(caller))
    }

    fn check(&self, limiter: &Limiter, who: &String) -> Result<(), u64> {
        limiter.check_key(who).map_err(|refused| {
            let wait = refused.wait_time_from(self.clock.now());
            wait.as_secs() + 1
        })
    }

    /// Forgets whoever has been quiet.
    pub(crate) fn sweep(&self) {
        for limiter in [&self.address, &self.user, &self.key, &self.sign_in] {
            limiter.retain_recent();
        }
    }
}

/// An IPv6 customer has a whole /64.
fn address(caller: &Caller) -> String {
    match caller.address {
        Some(std::net::IpAddr::V6(a)) => {
            let s = a.segments();
            format!("{:x}:{:x}:{:x}:{:x}::", s[0], s[1], s[2], s[3])
        }
        Some(a) => a.to_string(),
        None => String::new(),
    }
}

//! What is measured while the product runs, in Prometheus' terms.

use std::{sync::atomic::AtomicI64, time::Duration};

use kernel::{Error, ErrorCode, Result};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Called {
    capability: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Capability {
    capability: &'static str,
}

/// The measures.
pub struct Measures {
    registry: Registry,
    calls: Family<Called, Counter>,
    seconds: Family<Capability, Histogram>,
    limited: Counter,
    open: Gauge<i64, AtomicI64>,
}

impl Default for Measures {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("citymind");
        let calls = Family::<Called, Counter>::default();
        registry.register(
            "capability_calls",
            "Calls by capability and outcome",
            calls.clone(),
        );
        // From a tenth of a millisecond to twenty seconds.
        let seconds = Family::<Capability, Histogram>::new_with_constructor(|| {
            Histogram::new([
                0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 20.0,
            ])
        });
        registry.register(
            "capability_seconds",
            "How long calls took, permission and audit included",
            seconds.clone(),
        );
        let limited = Counter::default();
        registry.register(
            "requests_refused_by_rate",
            "Requests refused because there were too many",
            limited.clone(),
        );
        let open = Gauge::<i64, AtomicI64>::default();
        registry.register("requests_open", "Requests being worked on", open.clone());
        Self {
            registry,
            calls,
            seconds,
            limited,
            open,
        }
    }
}

impl Measures {
    /// A call has ended.
    pub fn called(&self, capability: &'static str, failed: Option<ErrorCode>, took: Duration) {
        let outcome = failed.map_or("ok", ErrorCode::as_str);
        self.calls
            .get_or_create(&Called {
                capability,
                outcome,
            })
            .inc();
        self.seconds
            .get_or_create(&Capability { capability })
            .observe(took.as_secs_f64());
    }

    /// A request was refused because there were too many.
    pub fn limited(&self) {
        self.limited.inc();
    }

    /// A request has begun; it ends when the guard is dropped.
    pub fn request(&self) -> impl Drop + Send + 'static {
        self.open.inc();
        Open(self.open.clone())
    }

    /// Everything as text, in the OpenMetrics format.
    ///
    /// # Errors
    /// `Internal`.
    pub fn text(&self) -> Result<String> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(Error::internal)?;
        Ok(text)
    }
}

struct Open(Gauge<i64, AtomicI64>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

//! How an answer came about, step by step.

use std::time::Instant;

use kernel::{Error, Result, id::fresh, records::Collection, time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) const TRACES: Collection = Collection {
    name: "traces",
    indexed: &["started_at"],
};

/// How an answer came about.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// Who asked.
    #[serde(default, skip_serializing)]
    #[schemars(skip)]
    pub visitor: String,
    /// The question.
    pub question: String,
    /// When it was asked.
    pub started_at: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: f64,
    /// The steps.
    pub spans: Vec<Span>,
}

/// A step.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// Its name in code.
    pub name: String,
    /// Its name in Chinese.
    pub label: String,
    /// When it began, in milliseconds after the question.
    pub start_ms: f64,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// What went in and came out.
    pub attributes: Value,
}

/// Records a trace while it happens.
#[derive(Debug)]
pub struct Recorder {
    start: Instant,
    trace: Trace,
}

impl Recorder {
    /// Begins now.
    pub fn new(visitor: &str, question: &str) -> Self {
        Self {
            start: Instant::now(),
            trace: Trace {
                id: fresh(),
                visitor: visitor.to_owned(),
                question: question.to_owned(),
                started_at: time::now(),
                elapsed_ms: 0.0,
                spans: Vec::new(),
            },
        }
    }

    /// The trace's id.
    pub fn id(&self) -> &str {
        &self.trace.id
    }

    /// Milliseconds since the beginning.
    pub fn elapsed(&self) -> f64 {
        (self.start.elapsed().as_secs_f64() * 1e5).round() / 100.0
    }

    /// Writes down a step that began at `start_ms` and ends now.
    ///
    /// # Errors
    /// `Internal` if the attributes aren't JSON.
    pub fn span(
        &mut self,
        name: &str,
        label: &str,
        start_ms: f64,
        attributes: &impl Serialize,
    ) -> Result<Span> {
        let span = Span {
            name: name.to_owned(),
            label: label.to_owned(),
            start_ms,
            ms: ((self.elapsed() - start_ms) * 100.0).round() / 100.0,
            attributes: serde_json::to_value(attributes).map_err(Error::internal)?,
        };
        self.trace.spans.push(span.clone());
        Ok(span)
    }

    /// The whole trace.
    pub fn finish(mut self) -> Trace {
        self.trace.elapsed_ms = self.elapsed();
        self.trace
    }
}

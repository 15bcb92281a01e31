//! A job under way, as its kind sees it.

use std::sync::Arc;

use kernel::{Error, ErrorCode, Result, capability::Progress, records::Write};
use serde_json::Value;

use super::{
    attempt::Attempt,
    job::{Artifact, Job},
};

/// A job under way, as its kind sees it.
#[derive(Clone)]
pub struct Running(pub(super) Arc<Attempt>);

impl Running {
    /// Its id.
    pub fn id(&self) -> String {
        self.0.job().id
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.job().attempts
    }

    /// What it was given.
    pub fn input(&self) -> Value {
        self.0.job().input
    }

    /// From where to go on: what was committed last, in this attempt or an earlier one; `null` at the beginning.
    pub fn checkpoint(&self) -> Value {
        self.0.job().checkpoint
    }

    /// Who queued it.
    pub fn created_by(&self) -> Option<String> {
        self.0.job().created_by
    }

    /// Tells how far it is: `done` out of `total` (0 if that is not known).
    ///
    /// # Errors
    /// `Cancelled`, or `Conflict` once the lease is lost: the job should stop and return the error.
    pub fn progress(&self, done: u64, total: u64, message: impl Into<String>) -> Result<()> {
        self.check()?;
        self.0.set_progress(Progress {
            done,
            total,
            message: message.into(),
        });
        Ok(())
    }

    /// Goes on, unless it should stop.
    ///
    /// # Errors
    /// As [`Running::progress`].
    pub fn check(&self) -> Result<()> {
        self.0.check()
    }

    /// Whether it should stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.asked().is_some()
    }

    /// Waits until it should stop.
    pub async fn cancelled(&self) {
        self.0.told().await;
    }

    /// Writes a line into the job's log. Lines are stored within moments, the latest thousand are kept.
    pub fn log(&self, line: impl AsRef<str>) {
        self.0.log(line.as_ref());
    }

    /// Makes writes and moves the checkpoint in one batch: both are there or neither. It may still be done when the job
    /// should stop.
    ///
    /// # Errors
    /// `Conflict` if an expectation of the writes doesn't hold, or if the lease is lost; `Storage`, after which whether it
    /// was done is not known: the attempt should end.
    pub async fn commit(&self, writes: Vec<Write>, checkpoint: Value) -> Result<()> {
        let change = |job: &mut Job| job.checkpoint = checkpoint.clone();
        self.0.write(change, Some(&writes)).await
    }

    /// Adds a file to the job, in place of one of the same name.
    ///
    /// # Errors
    /// `InvalidInput` if the name is none; `Conflict` once the lease is lost; what the file store returns.
    pub async fn attach(&self, name: &str, media: &str, bytes: Vec<u8>) -> Result<()> {
        let fits = !name.is_empty()
            && name.len() <= 200
            && !name.chars().any(|c| c.is_control() || "/\\".contains(c));
        if !fits {
            return Err(Error::new(
                ErrorCode::InvalidInput,
                "任务产物的文件名为空、过长或含有不允许的字符，请换一个文件名。",
            ));
        }
        let size = bytes.len() as u64;
        let artifact = Artifact {
            name: name.to_owned(),
            media: media.to_owned(),
            size,
            address: self.0.shared.files.put(bytes).await?,
        };
        let change = |job: &mut Job| {
            job.artifacts.retain(|a| a.name != artifact.name);
            job.artifacts.push(artifact.clone());
        };
        self.0.write(change, None).await
    }
}

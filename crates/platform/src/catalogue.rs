//! All capabilities, behind the one gate that every door goes through: permission, audit, measurement.

use std::{collections::HashMap, future::Future, sync::Arc, time::Instant};

use kernel::{
    Error, ErrorCode, Result,
    capability::{Context, Definition, Registered},
};
use serde_json::Value;

use crate::{
    audit::{Act, Audit},
    identity::Identity,
    measures::Measures,
};

/// All capabilities.
#[derive(Clone)]
pub struct Catalogue {
    capabilities: Arc<Vec<Registered>>,
    by_name: Arc<HashMap<&'static str, usize>>,
    identity: Arc<Identity>,
    audit: Arc<Audit>,
    measures: Arc<Measures>,
}

impl Catalogue {
    /// Capabilities, and further doors that are described like capabilities (they move files or streams).
    pub fn new(
        capabilities: Vec<Registered>,
        further: &[Definition],
        identity: Arc<Identity>,
        audit: Arc<Audit>,
        measures: Arc<Measures>,
    ) -> Self {
        let definitions = capabilities.iter().map(|c| &c.definition).chain(further);
        identity.know(definitions.cloned().collect());
        let names = capabilities.iter().enumerate();
        Self {
            by_name: Arc::new(names.map(|(i, c)| (c.definition.name, i)).collect()),
            capabilities: Arc::new(capabilities),
            identity,
            audit,
            measures,
        }
    }

    /// All of them, in the order in which the products name them.
    pub fn all(&self) -> &[Registered] {
        &self.capabilities
    }

    /// The one of that name.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn named(&self, name: &str) -> Result<&Registered> {
        let found = self.by_name.get(name).map(|i| &self.capabilities[*i]);
        found.ok_or_else(|| Error::not_found("这项能力"))
    }

    /// The names of those that a caller may use, further doors included.
    ///
    /// # Errors
    /// `Storage`.
    pub async fn open_to(&self, context: &Context) -> Result<Vec<String>> {
        let mut open = Vec::new();
        for definition in self.identity.definitions() {
            let permitted = self.identity.permit(&context.caller, definition).await;
            match permitted {
                Ok(()) => open.push(definition.name.to_owned()),
                Err(e) if matches!(e.code, ErrorCode::SignInRequired | ErrorCode::Forbidden) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(open)
    }

    /// Calls a capability. One with effects goes on to its end even if the caller goes away.
    ///
    /// # Errors
    /// `NotFound`, `SignInRequired`, `Forbidden`, `InvalidInput`, and what the capability returns.
    pub async fn call(&self, name: &str, context: &Context, input: Value) -> Result<Value> {
        let capability = self.named(name)?.clone();
        let subject = subject(&capability.definition, &input);
        if !capability.definition.effects {
            let work = capability.call(context, input);
            return self
                .enter(&capability.definition, context, subject, work)
                .await;
        }
        let (catalogue, context) = (self.clone(), context.clone());
        tokio::spawn(async move {
            let work = capability.call(&context, input);
            catalogue
                .enter(&capability.definition, &context, subject, work)
                .await
        })
        .await
        .map_err(Error::internal)?
    }

    /// Does something that is described like a capability, if the caller may.
    ///
    /// # Errors
    /// `SignInRequired`, `Forbidden`, and what the work returns.
    pub async fn enter<T>(
        &self,
        definition: &Definition,
        context: &Context,
        subject: String,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        let act = Act::of(definition, context, subject);
        let result = self
            .audit
            .during(context, act, async {
                self.identity.permit(&context.caller, definition).await?;
                work.await
            })
            .await;
        let code = result.as_ref().err().map(|e| e.code);
        self.measures.called(definition.name, code, start.elapsed());
        result
    }
}

/// What a call is about, for the audit log: the values that stand in the address.
fn subject(definition: &Definition, input: &Value) -> String {
    let named = definition.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        match &input[name] {
            Value::String(text) => Some(text.chars().take(200).collect::<String>()),
            Value::Null => None,
            other => Some(other.to_string()),
        }
    });
    named.collect::<Vec<_>>().join("/")
}

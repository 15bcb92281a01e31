//! What the product can do, defined once and called through every door.
//!
//! A capability has a typed input, a typed output, a permission and a description. From that one definition come the
//! HTTP route with its OpenAPI entry and the function that chat and other products call. Products implement
//! [`Capability`]; the doors see [`Registered`].

use std::{future::Future, pin::Pin, sync::Arc};

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Error, ErrorCode, Result};

/// Names one thing.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ById {
    /// Its id.
    pub id: String,
}

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Anyone, citizens without a login included.
    Public,
    /// Whoever runs this installation.
    Operator,
}

/// The HTTP method of a capability's route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads; the input comes from the path and the query string.
    Get,
    /// Does; the input comes from the path and a JSON body.
    Post,
    /// Removes; the input comes from the path.
    Delete,
}

/// How a capability is described to people, programs and models.
#[derive(Clone, Debug)]
pub struct Definition {
    /// `area.verb`, e.g. `knowledge.search`: the tool name and the CLI command.
    pub name: &'static str,
    /// A short Chinese title.
    pub title: &'static str,
    /// What it does and when to use it, in Chinese.
    pub description: &'static str,
    /// Who may call it.
    pub permission: Permission,
    /// The method of its route.
    pub method: Method,
    /// Its route below `/api/v1`, with `{name}` for input fields, e.g. `/traces/{id}`.
    pub path: &'static str,
    /// Its progress can be followed as server-sent events.
    pub streams: bool,
}

/// Who calls.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The browser or program, by an unguessable id of ours; sessions belong to it.
    pub visitor: String,
    /// Runs this installation.
    pub operator: bool,
}

/// Something that happened on the way to the output.
#[derive(Clone, Debug)]
pub struct Event {
    /// What kind, e.g. `segment`.
    pub name: &'static str,
    /// Its content.
    pub data: Value,
}

type Sink = Arc<dyn Fn(Event) -> bool + Send + Sync>;

/// The circumstances of a call.
#[derive(Clone, Default)]
pub struct Context {
    /// Who calls.
    pub caller: Caller,
    sink: Option<Sink>,
}

impl Context {
    /// A call whose progress nobody follows.
    pub fn of(caller: Caller) -> Self {
        Self { caller, sink: None }
    }

    /// A call whose progress goes to `sink`, which returns false once nobody listens any more.
    #[must_use]
    pub fn following(mut self, sink: impl Fn(Event) -> bool + Send + Sync + 'static) -> Self {
        self.sink = Some(Arc::new(sink));
        self
    }

    /// Tells whoever follows.
    ///
    /// # Errors
    /// `Unavailable` once the caller has gone away: the call should stop.
    pub fn emit(&self, name: &'static str, data: &impl Serialize) -> Result<()> {
        let Some(sink) = &self.sink else {
            return Ok(());
        };
        let data = serde_json::to_value(data).map_err(Error::internal)?;
        if sink(Event { name, data }) {
            Ok(())
        } else {
            Err(Error::new(ErrorCode::Unavailable, "请求方已断开。"))
        }
    }
}

/// Something the product can do.
pub trait Capability: Send + Sync + 'static {
    /// What it takes.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// What it gives.
    type Output: Serialize + JsonSchema + Send;

    /// Its description.
    fn definition(&self) -> Definition;

    /// Does it.
    ///
    /// # Errors
    /// As documented by the capability; the message is for the person who asked.
    fn call(
        &self,
        context: &Context,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output>> + Send;
}

type Reply<'a> = Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;

trait Erased: Send + Sync {
    fn call<'a>(&'a self, context: &'a Context, input: Value) -> Reply<'a>;
}

impl<C: Capability> Erased for C {
    fn call<'a>(&'a self, context: &'a Context, input: Value) -> Reply<'a> {
        Box::pin(async move {
            let input = serde_json::from_value(input).map_err(|e| {
                Error::new(
                    ErrorCode::InvalidInput,
                    format!(
                        "请求的内容不符合要求：{}。请对照接口文档检查字段名和类型。",
                        chinese_reason(&e)
                    ),
                )
                .with_detail(&e)
            })?;
            let output = Capability::call(self, context, input).await?;
            serde_json::to_value(output).map_err(Error::internal)
        })
    }
}

fn chinese_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let quoted = |start: &str| {
        text.strip_prefix(start)
            .and_then(|t| t.split('`').next())
            .map(str::to_owned)
    };
    if let Some(field) = quoted("missing field `") {
        format!("缺少字段“{field}”")
    } else if let Some(field) = quoted("unknown field `") {
        format!("没有“{field}”这个字段")
    } else if let Some(value) = quoted("unknown variant `") {
        format!("“{value}”不是可用的取值")
    } else if text.starts_with("invalid type") {
        "有字段的类型不对".to_owned()
    } else {
        "有字段的取值不对".to_owned()
    }
}

/// A capability as the doors see it.
#[derive(Clone)]
pub struct Registered {
    /// Its description.
    pub definition: Definition,
    /// JSON Schema of its input.
    pub input: Schema,
    /// JSON Schema of its output.
    pub output: Schema,
    call: Arc<dyn Erased>,
}

impl Registered {
    /// Takes a capability in.
    pub fn new<C: Capability>(capability: C) -> Self {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        Self {
            definition: capability.definition(),
            input: settings
                .clone()
                .into_generator()
                .into_root_schema_for::<C::Input>(),
            output: settings
                .for_serialize()
                .into_generator()
                .into_root_schema_for::<C::Output>(),
            call: Arc::new(capability),
        }
    }

    /// Calls it, if the caller may.
    ///
    /// # Errors
    /// `OperatorRequired`, `InvalidInput`, and what the capability returns.
    pub async fn call(&self, context: &Context, input: Value) -> Result<Value> {
        if self.definition.permission == Permission::Operator && !context.caller.operator {
            return Err(Error::new(
                ErrorCode::OperatorRequired,
                format!(
                    "“{}”需要管理权限：请在本机操作，或提供管理密钥。",
                    self.definition.title
                ),
            ));
        }
        self.call.call(context, input).await
    }
}
